/* A long table, made while it is sent: no faster than its client takes it, and never more than a piece of it in memory.
 * Behind it come the number of rows and a checksum, as trailers, so that who has them has all of it.
 *
 *     ./dev build && build/examples/csv
 *
 *     curl -OJ http://localhost:8080/measurements.csv
 *     curl --compressed -s 'http://localhost:8080/measurements.csv?rows=20000000' | head
 */
#include <inttypes.h>
#include <rawhttp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROWS_DEFAULT 1000000
#define ROWS_MAX 100000000
#define FNV_BASIS 0xcbf29ce484222325
#define FNV_PRIME 0x100000001b3

enum { LINE_SIZE = 96 }; /* of the longest line; a piece has room for two at least */

/* Lies in the memory of its request. */
struct table {
    rh_request *request;
    uint64_t next, rows; /* lines: number 0 is the heading */
    uint64_t checksum;   /* FNV-1a, 64 bits, of what has been made */
};

/* RFC 4180: lines end with CRLF, and what has a comma in it stands in quotes. */
static size_t write_line(char out[static LINE_SIZE], uint64_t number)
{
    if (number == 0)
        return (size_t)snprintf(out, LINE_SIZE, "number,time,place,celsius\r\n");
    uint64_t noise = number * 0x9e3779b97f4a7c15 >> 40;
    time_t at = 1735689600 + (time_t)number * 60;
    struct tm utc;
    char text[32];
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &utc));
    return (size_t)snprintf(out, LINE_SIZE, "%" PRIu64 ",%s,\"Hall %u, north\",%u.%u\r\n", number, text,
                            (unsigned)(noise % 9 + 1), (unsigned)(noise % 35), (unsigned)(noise % 10));
}

static void add_trailers(const struct table *table)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, table->rows);
    rh_trailer(table->request, "X-Rows", text);
    snprintf(text, sizeof text, "%016" PRIx64, table->checksum);
    rh_trailer(table->request, "X-Checksum", text);
}

/* The next piece. It is asked for when the one before has gone to the client, so a slow one costs nothing but time. */
static long make_piece(void *user, char *out, size_t size)
{
    struct table *table = user;
    size_t used = 0;
    while (table->next <= table->rows && size - used >= LINE_SIZE)
        used += write_line(out + used, table->next++);
    for (size_t i = 0; i < used; i++)
        table->checksum = (table->checksum ^ (unsigned char)out[i]) * FNV_PRIME;
    if (used == 0)
        add_trailers(table);
    return (long)used;
}

static void send_table(rh_request *request, void *unused)
{
    uint64_t rows = ROWS_DEFAULT;
    rh_slice wanted = rh_query(request, "rows");
    struct table *table = rh_memory(request, sizeof *table);
    char etag[32];
    (void)unused;
    if (table == NULL) {
        rh_fail(request, 503, NULL);
        return;
    }
    if (wanted.data != NULL && (!rh_slice_uint(wanted, &rows) || rows > ROWS_MAX)) {
        rh_fail(request, 400, "rows is a number up to 100000000");
        return;
    }
    snprintf(etag, sizeof etag, "\"1-%" PRIu64 "\"", rows); /* the 1 changes with what is in a row */
    rh_compress(request);
    if (!rh_validate(request, etag, -1))
        return; /* the client has it already */
    rh_set(request, "Content-Disposition", "attachment; filename=measurements.csv");
    rh_set(request, "Trailer", "X-Rows, X-Checksum");
    *table = (struct table){ .request = request, .rows = rows, .checksum = FNV_BASIS };
    rh_stream(request, "text/csv; charset=utf-8; header=present", make_piece, NULL, table);
}

int main(void)
{
    rh_server *server = rh_server_new((rh_options){ .listen = getenv("LISTEN"), .log = rh_log_stderr });
    rh_route(server, "GET /measurements.csv", send_table, NULL);
    int failed = rh_start(server);
    if (failed == 0)
        fprintf(stderr, "csv: http://localhost:%u/measurements.csv\n", rh_port(server));
    rh_wait(server);
    rh_server_free(server);
    return failed != 0;
}
