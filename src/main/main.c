/* rawhttpd: a folder on the web with one command. This file joins what the program was told, the library and the
 * signals; it knows of the server what rawhttp.h says. Exit status: 0 ended as told, 1 could not start or was cut
 * short, 2 wrong usage or configuration. */
#include "main/banner.h"
#include "main/certificate_check.h"
#include "main/config_check.h"
#include "main/environment.h"
#include "main/health.h"
#include "main/help.h"
#include "main/module.h"
#include "main/option_certificate.h"
#include "main/print_config.h"
#include "main/report.h"
#include "main/request_text.h"
#include "main/signals.h"
#include "server/addresses.h"
#include "server/explain.h"
#include "server/tls.h"

#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum exit_status { EXIT_ENDED, EXIT_FAILED, EXIT_USAGE };

/* Where a standard descriptor was closed, the first socket would get its number, and the access log would then be
 * written to a client. An empty chroot has no /dev/null; a descriptor that can be neither read nor written keeps the
 * place as well. */
static void keep_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
            (void)open("/", O_PATH | O_DIRECTORY);
}

/* The soft limit is low for the sake of programs that use select(); a server takes all that it may have, and makes its
 * default for --max-connections from that. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* without it there are fewer connections, nothing worse */
    }
}

static enum exit_status print(void (*text)(FILE *out))
{
    text(stdout);
    return fflush(stdout) == 0 && !ferror(stdout) ? EXIT_ENDED : EXIT_FAILED;
}

static enum exit_status ask_health(const char *url, const struct report *report)
{
    char why[HEALTH_WHY_SIZE];
    if (health_check(url, HEALTH_TIMEOUT_MS, why))
        return EXIT_ENDED;
    report_fatal(report, "--health %.200s: %s", url, why);
    return EXIT_FAILED;
}

/* CPUs that this process may use; the library would choose the same number, but does not say it. */
static unsigned count_cpus(void)
{
    cpu_set_t usable;
    if (sched_getaffinity(0, sizeof usable, &usable) != 0)
        return 1;
    return CPU_COUNT(&usable) < OPTIONS_WORKERS_MAX ? (unsigned)CPU_COUNT(&usable) : OPTIONS_WORKERS_MAX;
}

static void print_for_log(const struct banner *banner, const struct report *report)
{
    char *line = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&line, &size);
    if (!out)
        return;
    banner_print_line(banner, out);
    if (fclose(out) == 0)
        report_line(report, RH_LOG_INFO, "%s", line);
    free(line);
}

static void announce(const struct options *options, const struct report *report, const rh_server *server)
{
    const char *root = options->server.root;
    char *folder = root ? realpath(root, NULL) : NULL;
    struct banner banner = {
        .folder = folder ? folder : root ? root : "(by host)",
        .listen = options->server.listen,
        .port = rh_port(server),
        .workers = options->server.workers,
        .site = rh_site(server),
        .self_signed = options->tls.self_signed,
    };
    bool shown = report->terminal && !report->quiet;
    if (shown)
        banner_print(&banner, stderr);
    else
        print_for_log(&banner, report);
    if (options->tls.self_signed && !shown)
        report_line(report, RH_LOG_WARN, "the certificate was made at this start and is trusted by nobody: for "
                    "development only");
    free(folder);
}

static enum exit_status complain(const struct options *options, const struct report *report)
{
    const struct problems *problems = &options->problems;
    for (unsigned i = 0; i < problems->count; i++)
        report_problem(report, options->config, problems->at[i].line, problems->at[i].text);
    if (problems->dropped > 0)
        report_problem(report, options->config, 0, "and more");
    if (options->problem[0] || !problems_any(problems))
        report_fatal(report, "%s", options->problem);
    return EXIT_USAGE;
}

/* A server would say the same, but not in which line of the configuration. */
static bool check_disk(struct options *options, const struct report *report)
{
    if (!options->config || (config_check_disk(options) && certificate_check(options)))
        return true;
    complain(options, report);
    return false;
}

/* What serves: the server, and the modules that answer with it. */
struct service {
    rh_server *server;
    struct modules modules;
};

static void announce_modules(const struct modules *modules, const struct report *report)
{
    for (size_t i = 0; i < modules->begun; i++) {
        const struct module *module = &modules->at[i];
        const char *version = module->told.version;
        report_line(report, RH_LOG_INFO, "module %s%s%s, %s", module->told.name, version ? " " : "",
                    version ? version : "", module->option->file);
    }
}

/* The server's life, while the signals are waited for. Why it could not start the library has put into the log. */
static enum exit_status run(struct options *options, struct signals *signals, const struct service *service)
{
    if (!check_disk(options, signals->report) || rh_start(service->server) != 0)
        return EXIT_FAILED;
    announce_modules(&service->modules, signals->report);
    announce(options, signals->report, service->server);
    signals_serve(signals, service->server);
    rh_wait(service->server);
    return EXIT_ENDED;
}

/* The hosts of the configuration, the default host first. False: one of them cannot be served, and why was said. */
static bool hosts_register(rh_server *server, const struct options *options)
{
    for (size_t i = 0; i <= options->host_count; i++) {
        const rh_host_options *host = i == 0 ? &options->site.options : &options->hosts[i - 1].options;
        if (rh_host(server, host) != 0) /* why, the log has said */
            return false;
    }
    return true;
}

/* The same of what https is spoken with. */
static bool tls_register(rh_server *server, const struct options *options)
{
    return !option_is_secure(options) || rh_tls(server, &options->tls) == 0;
}

static void service_free(struct service *service)
{
    rh_server_free(service->server);
    modules_end(&service->modules);
}

static bool modules_ready(struct service *service, struct options *options, const struct report *report)
{
    if (modules_load(&service->modules, options) && modules_begin(&service->modules, service->server))
        return true;
    complain(options, report);
    return false;
}

/* Not started yet. NULL: no memory, or an option is out of its range, and the log has said so. */
static rh_server *make_server(struct options *options, struct report *report)
{
    raise_descriptor_limit();
    if (options->server.workers == 0)
        options->server.workers = count_cpus();
    options->server.log = report_log;
    options->server.log_user = report;
    rh_server *server = rh_server_new(options->server);
    if (!server)
        report_fatal(report, "out of memory");
    if (server)
        addresses_leave_to_program(server); /* see announce */
    if (server && !*rh_error(server) && hosts_register(server, options) && tls_register(server, options))
        return server;
    rh_server_free(server);
    return NULL;
}

/* False: it was said why. Freed with service_free in either case. */
static bool service_init(struct service *service, struct options *options, struct report *report)
{
    *service = (struct service){ .server = make_server(options, report) };
    return service->server && modules_ready(service, options, report);
}

/* The signals are heard from the beginning: a module may take its time to begin. */
static enum exit_status serve(struct options *options, struct report *report)
{
    struct signals signals;
    struct service service;
    signals_block(&signals, report);
    if (signals_start(&signals) != 0) {
        report_fatal(report, "out of memory or threads");
        return EXIT_FAILED;
    }
    bool ready = service_init(&service, options, report);
    enum exit_status status = ready ? run(options, &signals, &service) : EXIT_USAGE;
    if (signals_stop(&signals) && ready)
        status = EXIT_FAILED;
    service_free(&service);
    return status;
}

/* Modules are loaded, and do not begin: what they would open or start is not for a check. */
static bool check_files(struct options *options)
{
    struct modules modules;
    bool loaded = modules_load(&modules, options);
    bool there = config_check_disk(options);
    there &= certificate_check(options);
    modules_end(&modules);
    return loaded && there;
}

/* A server that is made and not started checks what depends on several options. */
static enum exit_status check(struct options *options, struct report *report)
{
    if (!check_files(options))
        return complain(options, report);
    rh_server *server = make_server(options, report);
    bool good = server && tls_begin(server);
    rh_server_free(server);
    if (!good)
        return EXIT_USAGE;
    return printf("%s: ok\n", options->config) > 0 && fflush(stdout) == 0 ? EXIT_ENDED : EXIT_FAILED;
}

static enum exit_status explain_request(struct options *options, struct report *report, struct slice request)
{
    struct service service;
    bool ready = service_init(&service, options, report);
    bool told = ready && check_disk(options, report) &&
                server_explain(service.server, request, stdout, isatty(STDOUT_FILENO) == 1);
    service_free(&service);
    if (!ready)
        return EXIT_USAGE;
    return told && fflush(stdout) == 0 && !ferror(stdout) ? EXIT_ENDED : EXIT_FAILED;
}

static enum exit_status explain(struct options *options, struct report *report)
{
    const struct request_parts parts = { options->explain, options->fields, options->field_count };
    char why[WHY_SIZE];
    struct slice request = request_text(&parts, (struct why){ why, sizeof why });
    if (!request.data) {
        report_fatal(report, "--explain: %s", why);
        return EXIT_USAGE;
    }
    enum exit_status status = explain_request(options, report, request);
    free((char *)request.data);
    return status;
}

static enum exit_status show_config(const struct options *options, const struct report *report)
{
    struct config config;
    char why[CONFIG_WHY_SIZE];
    raise_descriptor_limit();
    bool known = config_init(&config, &options->server, why);
    enum exit_status status = EXIT_ENDED;
    if (!known)
        status = EXIT_USAGE;
    else if (!print_config(options, &config, stdout) || fflush(stdout) != 0 || ferror(stdout))
        status = EXIT_FAILED;
    if (!known)
        report_fatal(report, "%s", why);
    config_fini(&config);
    return status;
}

/* A check that has found mistakes in the text looks at the files that it names, too, as far as it could be read: who
 * mends one would only meet the other. */
static enum exit_status refuse(struct options *options, const struct report *report)
{
    if (options->check && problems_any(&options->problems))
        (void)check_files(options);
    return complain(options, report);
}

/* A name that is mistyped would else look as if it held. */
static void warn_of_strays(const struct report *report)
{
    char text[ENVIRONMENT_STRAY_SIZE];
    for (char *const *at = environ; environment_stray(&at, text);)
        report_line(report, RH_LOG_WARN, "%s", text);
}

static bool asks_environment(enum options_outcome outcome)
{
    return outcome != OPTIONS_HELP && outcome != OPTIONS_VERSION && outcome != OPTIONS_HEALTH;
}

static enum exit_status act(enum options_outcome outcome, struct options *options, struct report *report)
{
    switch (outcome) {
    case OPTIONS_WRONG:
        return refuse(options, report);
    case OPTIONS_HELP:
        return print(help_print);
    case OPTIONS_VERSION:
        return print(help_print_version);
    case OPTIONS_HEALTH:
        return ask_health(options->health_url, report);
    case OPTIONS_CHECK:
        return check(options, report);
    case OPTIONS_PRINT:
        return show_config(options, report);
    case OPTIONS_EXPLAIN:
        return explain(options, report);
    case OPTIONS_SERVE:
        return serve(options, report);
    }
    abort();
}

/* Pages are read by several threads and freed by others; with an arena for each thread, a cache of 81 MiB under load
 * took 181 MiB, and takes 122 (bench/tree.py). Workers hardly ever allocate, so nobody waits. */
static void share_memory(void)
{
    mallopt(M_ARENA_MAX, 1);
}

int main(int argc, char **argv)
{
    struct options options;
    const struct options_given given = { argc, argv, environ };
    keep_standard_descriptors();
    share_memory();
    enum options_outcome outcome = options_parse(&options, &given);
    struct report report = report_new(options.quiet);
    if (asks_environment(outcome))
        warn_of_strays(&report);
    enum exit_status status = act(outcome, &options, &report);
    options_fini(&options);
    return status;
}
