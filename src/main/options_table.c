/* Every option of the program, a row each. See options.h. Ranges are those of the library (rawhttp.h); the manual page,
 * docs/man/rawhttpd.1, says the same in more words. */
#include "main/options.h"

#include "http/hsts.h"
#include "http/https_redirect.h"
#include "http/networks.h"
#include "server/config.h"

#define FIELD(path) .offset = offsetof(struct options, path), .width = sizeof((struct options *)0)->path
#define NUMBER(path, settled)                                        \
    FIELD(path), .settled_offset = offsetof(struct config, settled), \
    .settled_width = sizeof((struct config *)0)->settled

enum { DAY_MS = 24 * 60 * 60 * 1000 };

#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)

static bool check_networks(struct slice text, struct why why)
{
    struct networks networks;
    return networks_parse(&networks, text, why);
}

static bool check_hsts(struct slice text, struct why why)
{
    char value[HSTS_VALUE_MAX];
    struct writer w = writer_on(value, sizeof value);
    return hsts_parse(text, &w, why);
}

static bool check_https_redirect(struct slice text, struct why why)
{
    struct https_redirect redirect;
    return https_redirect_parse(text, &redirect, why);
}

const struct option_row options_table[] = {
    { .group = "Where", .name = "listen", .letter = 'l', .argument = "ADDR", .kind = OPTION_ADDRESS,
      .also = " port bind address addr host interface socket ",
      .help = "listen on ADDR; may be repeated. One of\n"
              "  localhost:8080  this machine only (the default)\n"
              "  :8080           all interfaces\n"
              "  127.0.0.1:8080, [::1]:8080   one address\n"
              "  unix:/path      a unix socket\n"
              "  https://:8443   TLS, on any of these\n"
              "Port 0 is any free one." },
    { .name = "public", .kind = OPTION_FLAG, FIELD(everywhere), .also = " expose all ",
      .help = "the same as --listen :8080" },
    { .name = "root", .argument = "DIR", .kind = OPTION_FILE, FIELD(server.root),
      .also = " dir directory folder docroot document-root www ",
      .help = "the folder of pages, as is DIR without --root" },

    { .group = "Pages", .name = "fallback", .argument = "PATH", .kind = OPTION_PAGE, FIELD(site.options.fallback),
      .also = " spa single try-files ",
      .help = "the page for navigations to paths that are\n"
              "nothing, such as /index.html" },
    { .name = "list", .kind = OPTION_FLAG, FIELD(site.options.list), .also = " listing listings autoindex browse ",
      .help = "list folders that have no index.html" },
    { .name = "no-encodings", .kind = OPTION_FLAG, FIELD(server.no_encodings),
      .also = " compress no-compression no-compress gzip brotli encodings ",
      .help = "do not compress pages; .br, .zst and .gz files\nbeside them are used all the same" },
    { .name = "watch", .argument = "HOW", .kind = OPTION_CHOICE, FIELD(server.watch),
      .words = " auto rescan off ", .also = " reload live inotify ",
      .help = "notice changes by inotify (auto, the default;\n"
              "where there is none by rescan), by walking\n"
              "through the folders (rescan), or not (off)" },

    { .group = "Work", .name = "workers", .argument = "N", .kind = OPTION_NUMBER, NUMBER(server.workers, workers),
      .min = 1, .max = OPTIONS_WORKERS_MAX, .also = " threads jobs cpus ",
      .help = "threads that serve (one per usable CPU)" },
    { .name = "background", .argument = "N", .kind = OPTION_NUMBER, NUMBER(server.background, background),
      .min = 1, .max = 256,
      .help = "threads for work that blocks (4)" },
    { .name = "cache-size", .argument = "SIZE", .kind = OPTION_SIZE, NUMBER(server.cache_bytes, cache_bytes),
      .max = 64 * TIB, .zero = 1, .also = " cache memory ",
      .help = "content kept in memory (256M); 0: none" },
    { .name = "cache-policy", .argument = "NAME", .kind = OPTION_CHOICE, FIELD(server.cache_policy),
      .words = " sieve lru ", .also = " eviction cache-strategy ",
      .help = "who leaves when that is full: sieve or lru" },
    { .name = "buffer-memory", .argument = "SIZE", .kind = OPTION_SIZE, NUMBER(server.buffer_memory, buffer_memory),
      .min = 1, .max = 1024 * TIB, .also = " max-memory memory-max buffers buffer-size ",
      .help = "for bodies, partial heads and output of all\n"
              "connections together (a quarter of what there\n"
              "is); beyond: 503, close" },
    { .name = "trusted-proxies", .argument = "NETS", .kind = OPTION_CHECKED, FIELD(server.trusted_proxies),
      .check = check_networks,
      .also = " trusted-proxy proxies real-ip set-real-ip-from x-forwarded-for forwarded ",
      .help = "whose word about the client is taken: addresses,\nnetworks, loopback, private, unix (nobody's)" },
    { .name = "no-http2", .kind = OPTION_FLAG, FIELD(server.no_http2), .also = " http1 http1-only http2 no-h2 h2 ",
      .help = "speak HTTP/1 alone, whatever clients offer" },
    { .name = "no-server-header", .kind = OPTION_FLAG, FIELD(server.no_server_field),
      .help = "leave out \"Server: rawhttp\"" },

    { .group = "HTTPS", .name = "tls-cert", .argument = "FILE", .kind = OPTION_CERTIFICATE, .scope = SCOPE_OUTSIDE,
      FIELD(certificates), .also = " cert certificate ssl-cert ssl-certificate tls fullchain https ",
      .help = "a certificate, PEM, with those that vouch for it\n"
              "behind it; may be repeated, with a --tls-key for\n"
              "each. Listens on https://localhost:8443 unless\ntold otherwise" },
    { .name = "tls-key", .argument = "FILE", .kind = OPTION_KEY, .scope = SCOPE_OUTSIDE, FIELD(certificates),
      .also = " key private-key privkey ssl-key ssl-certificate-key ",
      .help = "its key, PEM, not encrypted" },
    { .name = "tls-self-signed", .kind = OPTION_FLAG, FIELD(tls.self_signed),
      .also = " self-signed selfsigned dev-cert development ",
      .help = "a certificate for localhost, made at each start:\nfor development, for no browser trusts it" },
    { .name = "tls-min-version", .argument = "V", .kind = OPTION_CHOICE, FIELD(tls.min_version), .words = " 1.2 1.3 ",
      .also = " tls-version min-tls ssl-protocols tls-protocols ",
      .help = "the oldest TLS that is spoken: 1.2 (the default)\nor 1.3" },
    { .name = "tls-ciphers", .argument = "LIST", .kind = OPTION_TEXT, FIELD(tls.ciphers),
      .also = " ciphers ssl-ciphers ",
      .help = "of TLS 1.2, as `openssl ciphers` has them (those\nwith forward secrecy and AEAD)" },
    { .name = "tls-ciphersuites", .argument = "LIST", .kind = OPTION_TEXT, FIELD(tls.ciphersuites),
      .also = " ciphersuites ", .help = "of TLS 1.3 (all three)" },
    { .name = "tls-groups", .argument = "LIST", .kind = OPTION_TEXT, FIELD(tls.groups),
      .also = " curves groups ecdh-curve ssl-ecdh-curve ", .help = "for the exchange of keys (X25519:P-256:P-384)" },
    { .name = "tls-client-cert", .argument = "HOW", .kind = OPTION_CHOICE, FIELD(tls.client_certificate),
      .words = " off optional required ", .also = " mtls client-cert client-auth verify-client ssl-verify-client ",
      .help = "whether clients have to have one, too: off (the\ndefault), optional, required" },
    { .name = "tls-client-ca", .argument = "FILE", .kind = OPTION_FILE, FIELD(tls.client_ca),
      .also = " client-ca ca cacert ssl-client-certificate ",
      .help = "PEM: whose certificates of clients are good" },
    { .name = "tls-ticket-keys", .argument = "FILE", .kind = OPTION_FILE, FIELD(tls.ticket_keys),
      .also = " ticket-keys session-tickets ssl-session-ticket-key ",
      .help = "80 random bytes for each key, the first for new\n"
              "tickets: servers that share it resume each\nother's sessions" },
    { .name = "https-redirect", .argument = "WHERE", .kind = OPTION_CHECKED,
      FIELD(server.https_redirect), .check = check_https_redirect, .words = " auto off ",
      .also = " redirect force-https redirect-https ssl-redirect ",
      .help = "where http is sent: to the first https address\n"
              "there is (auto, the default), to that port\nof the same host, or nowhere (off)" },
    { .name = "hsts", .argument = "SECONDS", .kind = OPTION_CHECKED, FIELD(server.hsts), .check = check_hsts,
      .also = " strict-transport-security sts ",
      .help = "tell browsers to come by https alone for so\nlong; behind it includeSubDomains and preload\n"
              "can stand: --hsts '31536000 preload'" },

    { .group = "Programs", .name = "module", .argument = "FILE", .kind = OPTION_MODULE, .scope = SCOPE_OUTSIDE,
      FIELD(modules), .also = " plugin plugins load load-module modules extension ",
      .help = "load a shared object that answers requests; what\n"
              "is behind a space are its settings:\n"
              "  --module './users.so database=/var/users.db'\n"
              "May be repeated." },

    { .group = "Log", .name = "access-log", .argument = "FILE|-|off", .kind = OPTION_FILE, FIELD(server.access_log),
      .words = " - off ", .also = " log logfile accesslog ",
      .help = "a line for each request: appended to FILE, or\n"
              "on standard output (-, the default), or none.\n"
              "JSON; coloured text if it goes to a terminal" },
    { .name = "quiet", .letter = 'q', .kind = OPTION_FLAG, FIELD(quiet), .also = " silent ",
      .help = "no banner and no information on standard\n"
              "error, only warnings and errors" },

    { .group = "Limits", .name = "request-line-max", .argument = "SIZE", .kind = OPTION_SIZE,
      NUMBER(server.request_line_max, limits.request_line_max),
      .min = 64, .max = 65535, .also = " max-request-line max-url-size max-line ",
      .help = "longest request line (8K); beyond: 414" },
    { .name = "head-max", .argument = "SIZE", .kind = OPTION_SIZE, NUMBER(server.head_max, limits.head_max),
      .min = 256, .max = 65535, .also = " max-head max-header-size header-max ",
      .help = "longest request head (32K); beyond: 431" },
    { .name = "fields-max", .argument = "N", .kind = OPTION_NUMBER, NUMBER(server.fields_max, limits.fields_max),
      .min = 1, .max = 250, .also = " max-fields max-headers headers-max ",
      .help = "most fields in a request head (100);\nbeyond: 431" },
    { .name = "max-body", .argument = "SIZE", .kind = OPTION_SIZE, NUMBER(server.body_max, limits.body_max),
      .min = 1, .max = TIB, .also = " body-max max-upload max-request-size ",
      .help = "longest request body (1M); beyond: 413" },
    { .name = "head-timeout", .argument = "TIME", .kind = OPTION_TIME, NUMBER(server.head_timeout_ms, head_timeout_ms),
      .min = 1, .max = DAY_MS, .also = " timeout header-timeout request-timeout ",
      .help = "to receive a request head (10s); beyond: 408" },
    { .name = "body-timeout", .argument = "TIME", .kind = OPTION_TIME, NUMBER(server.body_timeout_ms, body_timeout_ms),
      .min = 1, .max = DAY_MS,
      .help = "between bytes of a request body (30s);\nbeyond: 408" },
    { .name = "body-rate-min", .argument = "SIZE", .kind = OPTION_SIZE, NUMBER(server.body_rate_min, body_rate_min),
      .max = GIB, .zero = RH_OFF, .also = " min-body-rate min-rate ",
      .help = "bytes a second that a request body must bring\n"
              "on average (500); below: 408; 0: none needed" },
    { .name = "idle-timeout", .argument = "TIME", .kind = OPTION_TIME, NUMBER(server.idle_timeout_ms, idle_timeout_ms),
      .min = 1, .max = DAY_MS, .also = " keep-alive keepalive keep-alive-timeout keepalive-timeout ",
      .help = "between requests of a connection (60s)" },
    { .name = "send-timeout", .argument = "TIME", .kind = OPTION_TIME, NUMBER(server.send_timeout_ms, send_timeout_ms),
      .min = 1, .max = DAY_MS, .also = " write-timeout response-timeout ",
      .help = "without progress in sending a response (60s)" },
    { .name = "quiet-timeout", .argument = "TIME", .kind = OPTION_TIME,
      NUMBER(server.quiet_timeout_ms, quiet_timeout_ms),
      .min = 1, .max = DAY_MS, .also = " ping-interval ping-timeout ",
      .help = "without a byte from a WebSocket's client, then\nit is pinged; after as much again: close (30s)" },
    { .name = "handshake-timeout", .argument = "TIME", .kind = OPTION_TIME,
      NUMBER(server.handshake_timeout_ms, handshake_timeout_ms),
      .min = 1, .max = DAY_MS, .also = " tls-timeout ssl-handshake-timeout tls-handshake-timeout ",
      .help = "for the handshake of TLS to be done (10s)" },
    { .name = "drain-timeout", .argument = "TIME", .kind = OPTION_TIME,
      NUMBER(server.drain_timeout_ms, drain_timeout_ms),
      .min = 1, .max = DAY_MS, .also = " shutdown-timeout grace grace-period ",
      .help = "to finish what is in flight when told to stop\n(30s)" },
    { .name = "pipelined-max", .argument = "N", .kind = OPTION_NUMBER,
      NUMBER(server.pipelined_max, limits.pipelined_max),
      .min = 1, .max = 100000, .also = " max-pipelined ",
      .help = "requests of a connection answered in one go\n(64)" },
    { .name = "http2-streams-max", .argument = "N", .kind = OPTION_NUMBER,
      NUMBER(server.http2_streams_max, limits.streams_max),
      .min = 1, .max = 10000, .also = " max-streams streams-max max-concurrent-streams http2-max-concurrent-streams ",
      .help = "requests in flight on an HTTP/2 connection (128);\nbeyond: refused, the client asks again" },
    { .name = "max-connections", .argument = "N", .kind = OPTION_NUMBER,
      NUMBER(server.connections_max, connections_max),
      .min = 1, .max = 10000000, .also = " connections-max connections ",
      .help = "connections at a time (as many as the limit\nof open files allows)" },

    { .group = "Configuration", .name = "config", .letter = 'c', .argument = "FILE", .kind = OPTION_FILE,
      .scope = SCOPE_OUTSIDE, FIELD(config), .also = " conf configuration file ",
      .help = "read FILE too: all of these options, hosts and\nrules, see rawhttpd.conf(5)" },
    { .name = "check", .letter = 't', .kind = OPTION_FLAG, .scope = SCOPE_FLAG, FIELD(check),
      .also = " test validate configtest ",
      .help = "serve nothing; say what is wrong with FILE" },
    { .name = "print-config", .kind = OPTION_FLAG, .scope = SCOPE_FLAG, FIELD(print_config),
      .also = " show-config dump-config dump ",
      .help = "serve nothing; show what holds and where it\ncomes from" },
    { .name = "explain", .argument = "REQUEST", .kind = OPTION_TEXT, .scope = SCOPE_FLAG, FIELD(explain),
      .help = "serve nothing; show the way that a request\nlike 'GET /path' takes" },
    { .name = "header", .letter = 'H', .argument = "FIELD", .kind = OPTION_FIELD, .scope = SCOPE_FLAG, FIELD(fields),
      .also = " field headers ",
      .help = "a field of that request, 'Name: value'; may be\nrepeated" },

    { .group = "Other", .name = "health", .argument = "URL", .kind = OPTION_TEXT,
      .scope = SCOPE_FLAG, FIELD(health_url), .also = " healthcheck health-check ",
      .help = "serve nothing; ask URL and exit with 0 if the\n"
              "answer is a 2xx or 3xx within 3 s, else with 1.\n"
              "  http://localhost:8080/, http://[::1]:8080/,\n"
              "  unix:/path, unix:/path:/page" },
    { .name = "version", .letter = 'V', .kind = OPTION_FLAG, .scope = SCOPE_FLAG, FIELD(version),
      .help = "show the version and exit" },
    { .name = "help", .letter = 'h', .kind = OPTION_FLAG, .scope = SCOPE_FLAG, FIELD(help),
      .also = " usage ",
      .help = "show this and exit" },
    { .name = NULL },
};
