/* The mistakes of one text, in the order of its lines. See problems.h. */
#include "main/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Behind those of the same line: there they stay in the order in which they were found. */
static void insert(struct problems *problems, struct problem problem)
{
    unsigned place = problems->count;
    while (place > 0 && problems->at[place - 1].line > problem.line)
        place--;
    memmove(&problems->at[place + 1], &problems->at[place], (problems->count - place) * sizeof problem);
    problems->at[place] = problem;
    problems->count++;
}

bool problems_add(struct problems *problems, unsigned line, const char *format, ...)
{
    struct problem problem = { .line = line };
    va_list arguments;
    va_start(arguments, format);
    bool made = problems->count < PROBLEMS_MAX && vasprintf(&problem.text, format, arguments) >= 0;
    va_end(arguments);
    if (made)
        insert(problems, problem);
    else
        problems->dropped++;
    return false;
}

void problems_fini(struct problems *problems)
{
    for (unsigned i = 0; i < problems->count; i++)
        free(problems->at[i].text);
    problems->count = problems->dropped = 0;
}
