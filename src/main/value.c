/* Numbers as people write them on a command line, and back again. See value.h. */
#include "main/value.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *suffix; /* NULL ends a table */
    uint64_t factor;
};

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)

static const struct unit no_units[] = { { "", 1 }, { NULL, 0 } };

/* KB and KiB are the same here: a limit a few per cent above what was meant harms nobody, a refusal annoys. */
static const struct unit size_units[] = {
    { "", 1 },    { "B", 1 },
    { "K", KIB }, { "KB", KIB }, { "KiB", KIB },
    { "M", MIB }, { "MB", MIB }, { "MiB", MIB },
    { "G", GIB }, { "GB", GIB }, { "GiB", GIB },
    { "T", TIB }, { "TB", TIB }, { "TiB", TIB },
    { NULL, 0 },
};

static const struct unit time_units[] = {
    { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, { "h", 60 * 60 * 1000 }, { NULL, 0 },
};

static bool parse(const char *text, const struct unit *units, uint64_t *value)
{
    if (text[0] < '0' || text[0] > '9') /* strtoull would take spaces and signs */
        return false;
    char *suffix;
    errno = 0;
    uint64_t count = strtoull(text, &suffix, 10);
    if (errno != 0)
        return false;
    while (units->suffix && strcasecmp(units->suffix, suffix) != 0)
        units++;
    uint64_t product;
    if (!units->suffix || __builtin_mul_overflow(count, units->factor, &product))
        return false;
    *value = product;
    return true;
}

bool value_number(const char *text, uint64_t *value)
{
    return parse(text, no_units, value);
}

bool value_size(const char *text, uint64_t *bytes)
{
    return parse(text, size_units, bytes);
}

bool value_time(const char *text, uint64_t *ms)
{
    return parse(text, time_units, ms);
}

bool value_bool(const char *text, bool *value)
{
    static const char *const words[] = { "false", "no", "off", "0", "true", "yes", "on", "1" };
    size_t count = sizeof words / sizeof *words, i = 0;
    while (i < count && strcasecmp(words[i], text) != 0)
        i++;
    if (i == count)
        return false;
    *value = i >= count / 2;
    return true;
}

const char *value_size_text(uint64_t bytes, char out[static VALUE_TEXT_SIZE])
{
    static const struct unit steps[] = { { "TiB", TIB }, { "GiB", GIB }, { "MiB", MIB }, { "KiB", KIB } };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (bytes < steps[i].factor)
            continue;
        double count = (double)bytes / (double)steps[i].factor;
        snprintf(out, VALUE_TEXT_SIZE, bytes % steps[i].factor == 0 ? "%.0f %s" : "%.1f %s", count, steps[i].suffix);
        return out;
    }
    snprintf(out, VALUE_TEXT_SIZE, "%" PRIu64 " %s", bytes, bytes == 1 ? "byte" : "bytes");
    return out;
}

/* In the largest of the units that divides the value; the last one divides everything. */
static const char *print_exact(uint64_t value, const struct unit *unit, char out[static VALUE_TEXT_SIZE])
{
    while (value % unit->factor != 0 || value < unit->factor)
        unit++;
    snprintf(out, VALUE_TEXT_SIZE, "%" PRIu64 "%s", value / unit->factor, unit->suffix);
    return out;
}

const char *value_size_exact_text(uint64_t bytes, char out[static VALUE_TEXT_SIZE])
{
    static const struct unit steps[] = { { "T", TIB }, { "G", GIB }, { "M", MIB }, { "K", KIB }, { "", 1 } };
    return bytes == 0 ? strcpy(out, "0") : print_exact(bytes, steps, out);
}

const char *value_time_exact_text(uint64_t ms, char out[static VALUE_TEXT_SIZE])
{
    static const struct unit steps[] = { { "h", 60 * 60 * 1000 }, { "m", 60 * 1000 }, { "s", 1000 }, { "ms", 1 } };
    return ms == 0 ? strcpy(out, "0") : print_exact(ms, steps, out);
}
