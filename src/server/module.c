/* What a module says when it cannot begin. Who loads modules, and how, is not known here. */
#include "server/server.h"

#include <stdarg.h>
#include <stdio.h>

/* Whoever loads it tells the reason, with the module's name: not the log. */
int rh_module_refuse(rh_server *server, const char *format, ...)
{
    va_list arguments;
    if (server == NULL)
        return -1;
    va_start(arguments, format);
    if (server->error[0] == '\0')
        vsnprintf(server->error, sizeof server->error, format, arguments);
    va_end(arguments);
    server->state = SERVER_FAILED;
    return -1;
}
