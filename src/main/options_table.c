/* Every option of the program, a row each. See options.h. Ranges are those of the library (rawhttp.h); the manual page,
 * docs/man/rawhttpd.1, says the same in more words. */
#include "main/options.h"

#define FIELD(path) .offset = offsetof(struct options, path), .width = sizeof((struct options *)0)->path

enum { DAY_MS = 24 * 60 * 60 * 1000 };

#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)

const struct option_row options_table[] = {
    { .group = "Where", .name = "listen", .letter = 'l', .argument = "ADDR", .kind = OPTION_ADDRESS,
      .also = " port bind address addr host interface socket ",
      .help = "listen on ADDR; may be repeated. One of\n"
              "  localhost:8080  this machine only (the default)\n"
              "  :8080           all interfaces\n"
              "  127.0.0.1:8080, [::1]:8080   one address\n"
              "  unix:/path      a unix socket\n"
              "Port 0 is any free one." },
    { .name = "public", .kind = OPTION_FLAG, FIELD(everywhere), .also = " expose all ",
      .help = "the same as --listen :8080" },

    { .group = "Work", .name = "workers", .argument = "N", .kind = OPTION_NUMBER, FIELD(server.workers),
      .min = 1, .max = OPTIONS_WORKERS_MAX, .also = " threads jobs cpus ",
      .help = "threads that serve (one per usable CPU)" },
    { .name = "background", .argument = "N", .kind = OPTION_NUMBER, FIELD(server.background), .min = 1, .max = 256,
      .help = "threads for work that blocks (4)" },
    { .name = "cache-size", .argument = "SIZE", .kind = OPTION_SIZE, FIELD(server.cache_bytes),
      .max = 64 * TIB, .zero = 1, .also = " cache memory ",
      .help = "content kept in memory (256M); 0: none" },
    { .name = "buffer-memory", .argument = "SIZE", .kind = OPTION_SIZE, FIELD(server.buffer_memory),
      .min = 1, .max = 1024 * TIB, .also = " max-memory memory-max buffers buffer-size ",
      .help = "for bodies, partial heads and output of all\nconnections together (a quarter of what there\nis); beyond: 503, close" },
    { .name = "no-server-header", .kind = OPTION_FLAG, FIELD(server.no_server_field),
      .help = "leave out \"Server: rawhttp\"" },

    { .group = "Log", .name = "access-log", .argument = "FILE|-|off", .kind = OPTION_TEXT, FIELD(server.access_log),
      .also = " log logfile accesslog ",
      .help = "a line for each request: appended to FILE, or\n"
              "on standard output (-, the default), or none.\n"
              "JSON; coloured text if it goes to a terminal" },
    { .name = "quiet", .letter = 'q', .kind = OPTION_FLAG, FIELD(quiet), .also = " silent ",
      .help = "no banner and no information on standard\n"
              "error, only warnings and errors" },

    { .group = "Limits", .name = "request-line-max", .argument = "SIZE", .kind = OPTION_SIZE,
      FIELD(server.request_line_max), .min = 64, .max = 65535, .also = " max-request-line max-url-size max-line ",
      .help = "longest request line (8K); beyond: 414" },
    { .name = "head-max", .argument = "SIZE", .kind = OPTION_SIZE, FIELD(server.head_max),
      .min = 256, .max = 65535, .also = " max-head max-header-size header-max ",
      .help = "longest request head (32K); beyond: 431" },
    { .name = "fields-max", .argument = "N", .kind = OPTION_NUMBER, FIELD(server.fields_max),
      .min = 1, .max = 250, .also = " max-fields max-headers headers-max ",
      .help = "most fields in a request head (100);\nbeyond: 431" },
    { .name = "max-body", .argument = "SIZE", .kind = OPTION_SIZE, FIELD(server.body_max),
      .min = 1, .max = TIB, .also = " body-max max-upload max-request-size ",
      .help = "longest request body (1M); beyond: 413" },
    { .name = "head-timeout", .argument = "TIME", .kind = OPTION_TIME, FIELD(server.head_timeout_ms),
      .min = 1, .max = DAY_MS, .also = " timeout header-timeout request-timeout ",
      .help = "to receive a request head (10s); beyond: 408" },
    { .name = "body-timeout", .argument = "TIME", .kind = OPTION_TIME, FIELD(server.body_timeout_ms),
      .min = 1, .max = DAY_MS,
      .help = "between bytes of a request body (30s);\nbeyond: 408" },
    { .name = "body-rate-min", .argument = "SIZE", .kind = OPTION_SIZE, FIELD(server.body_rate_min),
      .max = GIB, .zero = RH_OFF, .also = " min-body-rate min-rate ",
      .help = "bytes a second that a request body must bring\n"
              "on average (500); below: 408; 0: none needed" },
    { .name = "idle-timeout", .argument = "TIME", .kind = OPTION_TIME, FIELD(server.idle_timeout_ms),
      .min = 1, .max = DAY_MS, .also = " keep-alive keepalive keep-alive-timeout keepalive-timeout ",
      .help = "between requests of a connection (60s)" },
    { .name = "send-timeout", .argument = "TIME", .kind = OPTION_TIME, FIELD(server.send_timeout_ms),
      .min = 1, .max = DAY_MS, .also = " write-timeout response-timeout ",
      .help = "without progress in sending a response (60s)" },
    { .name = "drain-timeout", .argument = "TIME", .kind = OPTION_TIME, FIELD(server.drain_timeout_ms),
      .min = 1, .max = DAY_MS, .also = " shutdown-timeout grace grace-period ",
      .help = "to finish what is in flight when told to stop\n(30s)" },
    { .name = "pipelined-max", .argument = "N", .kind = OPTION_NUMBER, FIELD(server.pipelined_max),
      .min = 1, .max = 100000, .also = " max-pipelined ",
      .help = "requests of a connection answered in one go\n(64)" },
    { .name = "max-connections", .argument = "N", .kind = OPTION_NUMBER, FIELD(server.connections_max),
      .min = 1, .max = 10000000, .also = " connections-max connections ",
      .help = "connections at a time (as many as the limit\nof open files allows)" },

    { .group = "Other", .name = "health", .argument = "URL", .kind = OPTION_TEXT, FIELD(health_url),
      .also = " healthcheck health-check check ",
      .help = "serve nothing; ask URL and exit with 0 if the\n"
              "answer is a 2xx or 3xx within 3 s, else with 1.\n"
              "  http://localhost:8080/, http://[::1]:8080/,\n"
              "  unix:/path, unix:/path:/page" },
    { .name = "version", .letter = 'V', .kind = OPTION_FLAG, FIELD(version), .help = "show the version and exit" },
    { .name = "help", .letter = 'h', .kind = OPTION_FLAG, FIELD(help), .also = " usage ",
      .help = "show this and exit" },
    { .name = NULL },
};
