/* What contexts are made of, what is refused or warned of, and what clients get of them: names, protocols, versions,
 * tickets, staples, proofs of their own. A worker's stream on one end of a socket, OpenSSL's client on the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/tls_stream.h"
#include "tls_client.h"
#include "tls_made.h"

#include <fcntl.h>
#include <openssl/ocsp.h>
#include <pthread.h>
#include <poll.h>

static char why_text[WHY_SIZE], warned[2048];
static const struct why why = { why_text, sizeof why_text };

static void note(void *user, enum log_level level, const char *line)
{
    (void)user;
    assert_int_equal(level, LOG_LEVEL_WARN);
    strncat(warned, line, sizeof warned - strlen(warned) - 2);
    strcat(warned, "\n");
}

static const struct log log_of_test = { note, NULL };

static struct tls_context *make(struct tls_settings settings)
{
    settings.log = &log_of_test;
    warned[0] = why_text[0] = '\0';
    struct tls_context *context = tls_context_new(&settings, why);
    assert_int_equal(ERR_peek_error(), 0);
    return context;
}

static struct tls_context *make_of(const struct tls_certificate *certificates, unsigned count)
{
    struct tls_context *context = make((struct tls_settings){ .certificates = certificates,
                                                              .certificate_count = count });
    if (context == NULL)
        print_message("%s\n", why_text);
    assert_non_null(context);
    return context;
}

static struct made root, site, other, rsa;

static int make_certificates(void **state)
{
    (void)state;
    root = made_new((struct made_plan){ .subject = "root", .authority = true });
    site = made_new((struct made_plan){ .subject = "site", .names = "DNS:Example.org,DNS:*.example.org",
                                        .issuer = &root, .serial = 7 });
    other = made_new((struct made_plan){ .subject = "other", .names = "DNS:www.example.org,DNS:b.test",
                                         .issuer = &root });
    rsa = made_new((struct made_plan){ .subject = "rsa", .names = "DNS:*.example.org,DNS:example.org", .rsa = true });
    return 0;
}

static int free_certificates(void **state)
{
    (void)state;
    made_free(&root);
    made_free(&site);
    made_free(&other);
    made_free(&rsa);
    return 0;
}

/* ---- A server of one connection ---- */

struct server {
    struct transport transport;
    struct tls_context *context;
    int fd;
    char record[TLS_RECORD_SIZE];
    const char *reason;
    enum tls_step step;
    pthread_t thread;
};

static void wait_for(int fd, short events)
{
    struct pollfd poll_fd = { fd, events, 0 };
    assert_int_equal(poll(&poll_fd, 1, TLS_CLIENT_PATIENCE_S * 1000), 1);
}

static void *shake(void *user)
{
    struct server *server = user;
    while ((server->step = tls_handshake(&server->transport, &server->reason)) == TLS_STEP_AGAIN)
        wait_for(server->fd, POLLIN);
    assert_int_equal(ERR_peek_error(), 0);
    return NULL;
}

/* The client is made, and may be told more before they shake. */
static struct tls_client meet(struct server *server, struct tls_context *context)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    *server = (struct server){ .fd = ends[0] };
    assert_true(tls_open(&server->transport, context, ends[0], server->record));
    return tls_client_make(ends[1]);
}

/* Returns the client's reason; 0: both are content. */
static int shake_hands(struct server *server, struct tls_client *client)
{
    assert_int_equal(pthread_create(&server->thread, NULL, shake, server), 0);
    int reason = tls_client_shake(client);
    assert_int_equal(pthread_join(server->thread, NULL), 0);
    return reason;
}

static void part(struct server *server, struct tls_client *client)
{
    server->transport.ops->close(&server->transport);
    tls_client_free(client);
}

static const char *name_shown(struct tls_client *client)
{
    static char text[64];
    X509 *certificate = SSL_get0_peer_certificate(client->ssl);
    assert_non_null(certificate);
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text, sizeof text);
    return text;
}

/* ---- What is refused ---- */

static void expect_refusal(struct tls_certificate certificate, const char *reason)
{
    struct tls_context *context = make((struct tls_settings){ .certificates = &certificate, .certificate_count = 1 });
    assert_null(context);
    if (strstr(why_text, reason) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", why_text, reason);
}

static void refuses_what_does_not_fit(void **state)
{
    struct tls_certificate good = made_pair(&site), wrong;
    char *encrypted = made_text(NULL, site.key, "sesame"), *chain, *half;
    (void)state;
    wrong = good, wrong.chain.bytes = SLICE("");
    expect_refusal(wrong, "cert.pem: no certificate in it");
    wrong = good, wrong.chain.bytes = slice_text(site.secret);
    expect_refusal(wrong, "cert.pem: no certificate in it");
    wrong = good, wrong.chain.bytes = SLICE("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    expect_refusal(wrong, "cert.pem: certificate 1 in it cannot be read: ");
    assert_true(asprintf(&half, "%s-----BEGIN CERTIFICATE-----\nAAAA\n", site.chain) > 0);
    wrong = good, wrong.chain.bytes = slice_text(half);
    expect_refusal(wrong, "cert.pem: certificate 2 in it cannot be read: ");
    wrong = good, wrong.key.bytes = slice_text(site.chain);
    expect_refusal(wrong, "key.pem: no private key in it");
    wrong = good, wrong.key.bytes = slice_text(encrypted);
    expect_refusal(wrong, "key.pem: the key is encrypted");
    wrong = good, wrong.key.bytes = SLICE("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    expect_refusal(wrong, "key.pem: the private key in it cannot be read");
    wrong = good, wrong.key.bytes = slice_text(other.secret);
    expect_refusal(wrong, "key.pem: not the key of the certificate in cert.pem (/CN=site)");
    assert_true(asprintf(&chain, "%s%s", root.chain, site.chain) > 0);
    wrong = good, wrong.chain.bytes = slice_text(chain);
    expect_refusal(wrong, "cert.pem: out of order: the certificate of this key is number 2");
    wrong = good, wrong.chain.bytes.size = TLS_TEXT_MAX + 1;
    expect_refusal(wrong, "larger than 4 MiB");
    free(encrypted);
    free(chain);
    free(half);
}

static void refuses_weak_keys(void **state)
{
    struct made weak = { .certificate = NULL };
    (void)state;
    weak = made_new((struct made_plan){ .subject = "weak", .names = "DNS:a" });
    EVP_PKEY_free(weak.key);
    free(weak.secret);
    free(weak.chain);
    weak.key = EVP_RSA_gen(1024);
    X509_set_pubkey(weak.certificate, weak.key);
    X509_sign(weak.certificate, weak.key, EVP_sha256());
    weak.chain = made_text(weak.certificate, NULL, NULL);
    weak.secret = made_text(NULL, weak.key, NULL);
    expect_refusal(made_pair(&weak), "cert.pem: cannot be used: ee key too small");
    made_free(&weak);
}

static void refuses_unknown_algorithms(void **state)
{
    struct tls_certificate good = made_pair(&site);
    const struct {
        struct tls_settings settings;
        const char *reason;
    } cases[] = {
        { { .ciphers = "NOTHING" }, "ciphers: \"NOTHING\": none of these is known" },
        { { .ciphersuites = "TLS_NOTHING" }, "ciphersuites: \"TLS_NOTHING\": not all of these are known" },
        { { .groups = "P-256:P-999" }, "groups: \"P-256:P-999\": not all of these are known" },
        { { .clients = TLS_CLIENTS_REQUIRED }, "no certificate in it" },
        { { .certificate_count = TLS_CERTIFICATES_MAX + 1 }, "more than 256 certificates" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_settings settings = cases[i].settings;
        settings.certificates = &good;
        settings.certificate_count = settings.certificate_count ? settings.certificate_count : 1;
        assert_null(make(settings));
        if (strstr(why_text, cases[i].reason) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", why_text, cases[i].reason);
    }
    assert_null(make((struct tls_settings){ .certificate_count = 0 }));
    assert_non_null(strstr(why_text, "a certificate is needed"));
}

/* ---- What is warned of ---- */

static void warns_of_what_is_odd(void **state)
{
    struct made old = made_new((struct made_plan){ .subject = "old", .names = "DNS:a", .from_days = -9, .days = -1 });
    struct made young = made_new((struct made_plan){ .subject = "young", .names = "DNS:a", .from_days = 1 });
    struct made nameless = made_new((struct made_plan){ .subject = "nameless", .names = "IP:127.0.0.1" });
    struct { struct made *made; const char *chain, *warning; } cases[] = {
        { &old, "", "cert.pem: the certificate has expired: /CN=old" },
        { &young, "", "cert.pem: the certificate is not valid yet: /CN=young" },
        { &nameless, "", "cert.pem: the certificate has no host's name among its subjectAltNames" },
        { &site, other.chain, "the chain is out of order or broken: the one before did not come from /CN=other" },
        { &site, root.chain, "" },
        { &site, "", "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_certificate certificate = made_pair(cases[i].made);
        char *chain;
        assert_true(asprintf(&chain, "%s%s", cases[i].made->chain, cases[i].chain) > 0);
        certificate.chain.bytes = slice_text(chain);
        tls_context_unref(make_of(&certificate, 1));
        if (cases[i].warning[0] == '\0')
            assert_string_equal(warned, "");
        else if (strstr(warned, cases[i].warning) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", warned, cases[i].warning);
        free(chain);
    }
    made_free(&old);
    made_free(&young);
    made_free(&nameless);
}

static void tells_names_and_end(void **state)
{
    struct tls_certificate two[] = { made_pair(&site), made_pair(&other) };
    char names[200], few[30];
    (void)state;
    struct tls_context *context = make_of(two, 2);
    tls_context_names(context, names, sizeof names);
    assert_string_equal(names, "*.example.org, b.test, example.org, www.example.org");
    tls_context_names(context, few, sizeof few);
    assert_true(strlen(few) < sizeof few && strncmp(few, names, 13) == 0);
    int64_t in_days = (tls_context_expires(context) - (int64_t)time(NULL)) / MADE_DAY;
    assert_in_range(in_days, 9, 10);
    tls_context_unref(context);
}

/* ---- What clients get ---- */

static void chooses_by_name(void **state)
{
    static const struct {
        const char *asked, *shown;
    } cases[] = {
        { NULL, "site" },                    { "unknown.test", "site" },       { "b.test", "other" },
        { "B.Test", "other" },               { "www.example.org", "other" },   { "WWW.example.ORG", "other" },
        { "x.example.org", "site" },         { "example.org", "site" },        { "x.y.example.org", "site" },
        { "x.b.test", "site" },              { "*.example.org", "site" },
    };
    struct tls_certificate two[] = { made_pair(&site), made_pair(&other) };
    struct tls_context *context = make_of(two, 2);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct server server;
        struct tls_client client = meet(&server, context);
        if (cases[i].asked != NULL)
            SSL_set_tlsext_host_name(client.ssl, cases[i].asked);
        assert_int_equal(shake_hands(&server, &client), 0);
        assert_int_equal(server.step, TLS_STEP_DONE);
        if (strcmp(name_shown(&client), cases[i].shown) != 0)
            fail_msg("%s gets %s", cases[i].asked ? cases[i].asked : "-", name_shown(&client));
        part(&server, &client);
    }
    tls_context_unref(context);
}

/* The default is another: only the name brings the wildcard. */
static void chooses_wildcards_of_one_label(void **state)
{
    struct tls_certificate two[] = { made_pair(&other), made_pair(&site) };
    struct tls_context *context = make_of(two, 2);
    static const char *const asked[] = { "x.example.org", "x.y.example.org", ".example.org", "org" };
    static const char *const shown[] = { "site", "other", "other", "other" };
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct server server;
        struct tls_client client = meet(&server, context);
        SSL_set_tlsext_host_name(client.ssl, asked[i]);
        assert_int_equal(shake_hands(&server, &client), 0);
        assert_string_equal(name_shown(&client), shown[i]);
        part(&server, &client);
    }
    tls_context_unref(context);
}

/* Two kinds of keys for the same names: who cannot do with the one gets the other. */
static void has_a_key_of_each_kind(void **state)
{
    struct tls_certificate two[] = { made_pair(&site), made_pair(&rsa) };
    struct tls_context *context = make_of(two, 2);
    static const char *const ciphers[] = { "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256" };
    static const char *const shown[] = { "rsa", "site" };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct server server;
        struct tls_client client = meet(&server, context);
        SSL_set_max_proto_version(client.ssl, TLS1_2_VERSION);
        SSL_set_cipher_list(client.ssl, ciphers[i]);
        assert_int_equal(shake_hands(&server, &client), 0);
        assert_string_equal(name_shown(&client), shown[i]);
        assert_int_equal(tls_cipher(&server.transport), i == 0 ? 0xc02f : 0xc02b);
        part(&server, &client);
    }
    tls_context_unref(context);
}

static void speaks_no_old_versions(void **state)
{
    struct tls_certificate one = made_pair(&site);
    const struct {
        enum tls_version least;
        int version;
        bool possible;
    } cases[] = {
        { TLS_VERSION_1_2, TLS1_1_VERSION, false }, { TLS_VERSION_1_2, TLS1_2_VERSION, true },
        { TLS_VERSION_1_2, TLS1_3_VERSION, true },  { TLS_VERSION_1_3, TLS1_2_VERSION, false },
        { TLS_VERSION_1_3, TLS1_3_VERSION, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_context *context = make((struct tls_settings){ .certificates = &one, .certificate_count = 1,
                                                                  .version_min = cases[i].least });
        struct server server;
        struct tls_client client = meet(&server, context);
        SSL_set_security_level(client.ssl, 0);
        SSL_set_min_proto_version(client.ssl, cases[i].version);
        SSL_set_max_proto_version(client.ssl, cases[i].version);
        assert_int_equal(shake_hands(&server, &client) == 0, cases[i].possible);
        assert_int_equal(server.step, cases[i].possible ? TLS_STEP_DONE : TLS_STEP_FAILED);
        if (!cases[i].possible)
            assert_string_equal(server.reason, "unsupported protocol");
        part(&server, &client);
        tls_context_unref(context);
    }
}

static void agrees_on_a_protocol(void **state)
{
    static const struct {
        const char *offered;
        bool offers_h2, h2, possible;
        const char *chosen;
    } cases[] = {
        { "\x02h2\x08http/1.1", true, true, true, "h2" },
        { "\x08http/1.1\x02h2", true, true, true, "h2" },
        { "\x02h2\x08http/1.1", false, false, true, "http/1.1" },
        { "\x08http/1.1", true, false, true, "http/1.1" },
        { "\x02h2", false, false, false, "" },
        { "\x03" "ftp", true, false, false, "" },
        { "", true, false, true, "" },
    };
    struct tls_certificate one = made_pair(&site);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_context *context = make((struct tls_settings){ .certificates = &one, .certificate_count = 1,
                                                                  .offers_h2 = cases[i].offers_h2 });
        struct server server;
        struct tls_client client = meet(&server, context);
        const unsigned char *chosen;
        unsigned size;
        SSL_set_alpn_protos(client.ssl, (const unsigned char *)cases[i].offered, (unsigned)strlen(cases[i].offered));
        int reason = shake_hands(&server, &client);
        assert_int_equal(reason, cases[i].possible ? 0 : SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL);
        if (reason == 0) {
            assert_int_equal(tls_speaks_h2(&server.transport), cases[i].h2);
            SSL_get0_alpn_selected(client.ssl, &chosen, &size);
            assert_true(slice_equal(slice_make((const char *)chosen, size), slice_text(cases[i].chosen)));
        }
        part(&server, &client);
        tls_context_unref(context);
    }
}

/* ---- Tickets ---- */

/* Returns whether the session was resumed; the ticket is taken, and replaced by the new one. */
static bool visit(struct tls_context *context, SSL_SESSION **ticket, int version)
{
    struct server server;
    struct tls_client client = meet(&server, context);
    char byte;
    SSL_set_max_proto_version(client.ssl, version);
    if (*ticket != NULL)
        SSL_set_session(client.ssl, *ticket);
    assert_int_equal(shake_hands(&server, &client), 0);
    bool resumed = SSL_session_reused(client.ssl) == 1;
    assert_int_equal(tls_resumed(&server.transport), resumed);
    server.transport.ops->shutdown(&server.transport);
    assert_int_equal(SSL_read(client.ssl, &byte, 1), 0); /* and all tickets that come before the end */
    SSL_shutdown(client.ssl); /* who goes without a word does not resume */
    if (client.ticket == NULL && resumed && version == TLS1_2_VERSION)
        client.ticket = SSL_get1_session(client.ssl); /* renewed, without a call */
    if (client.ticket != NULL) {
        SSL_SESSION_free(*ticket);
        *ticket = client.ticket;
        client.ticket = NULL;
    }
    part(&server, &client);
    return resumed;
}

static struct tls_context *make_with(struct tls_tickets *tickets)
{
    struct tls_certificate one = made_pair(&site);
    return make((struct tls_settings){ .certificates = &one, .certificate_count = 1, .tickets = tickets });
}

static void resumes_sessions(void **state)
{
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct tls_tickets *tickets = tls_tickets_new();
        struct tls_context *context = make_with(tickets), *next = make_with(tickets);
        SSL_SESSION *ticket = NULL;
        assert_false(visit(context, &ticket, versions[i]));
        assert_true(visit(context, &ticket, versions[i]));
        tls_context_unref(context);
        assert_true(visit(next, &ticket, versions[i])); /* the swap of a context loses none */
        assert_true(tls_tickets_rotate(tickets, 1));
        assert_true(visit(next, &ticket, versions[i])); /* and is given one of the new key's */
        assert_true(tls_tickets_rotate(tickets, 1));
        assert_true(visit(next, &ticket, versions[i]));
        assert_true(tls_tickets_rotate(tickets, 1));
        assert_true(tls_tickets_rotate(tickets, 1));
        assert_false(visit(next, &ticket, versions[i])); /* that key has gone */
        SSL_SESSION_free(ticket);
        tls_context_unref(next);
        tls_tickets_unref(tickets);
    }
}

static void shares_keys_between_servers(void **state)
{
    struct tls_ticket_key keys[2];
    struct tls_tickets *one = tls_tickets_new(), *two = tls_tickets_new();
    struct tls_context *first = make_with(one), *second = make_with(two), *none = make_with(NULL);
    SSL_SESSION *ticket = NULL;
    (void)state;
    memset(keys, 1, sizeof keys);
    memset(&keys[1], 2, sizeof keys[1]);
    assert_false(visit(first, &ticket, TLS1_3_VERSION));
    assert_false(visit(second, &ticket, TLS1_3_VERSION)); /* keys of their own */
    tls_tickets_set(one, &keys[1], 1);
    tls_tickets_set(two, keys, 2);
    assert_false(visit(first, &ticket, TLS1_3_VERSION));
    assert_true(visit(second, &ticket, TLS1_3_VERSION)); /* an older key, and now it has one of the newer */
    assert_false(visit(first, &ticket, TLS1_3_VERSION));
    assert_false(visit(none, &ticket, TLS1_3_VERSION));
    SSL_SESSION_free(ticket);
    ticket = NULL;
    assert_false(visit(none, &ticket, TLS1_2_VERSION));
    assert_null(ticket);
    assert_false(visit(none, &ticket, TLS1_3_VERSION));
    assert_null(ticket);
    for (unsigned i = 0; i < 2 * TLS_TICKET_KEYS_MAX; i++)
        assert_true(tls_tickets_rotate(one, TLS_TICKET_KEYS_MAX));
    tls_context_unref(first);
    tls_context_unref(second);
    tls_context_unref(none);
    tls_tickets_unref(one);
    tls_tickets_unref(two);
}

/* ---- Clients that prove themselves ---- */

static void asks_clients_for_proof(void **state)
{
    struct made alice = made_new((struct made_plan){ .subject = "alice", .issuer = &root });
    struct made mallory = made_new((struct made_plan){ .subject = "mallory" });
    const struct {
        enum tls_clients mode;
        const struct made *shown;
        bool possible;
        const char *subject;
    } cases[] = {
        { TLS_CLIENTS_OFF, &alice, true, "" },           { TLS_CLIENTS_OPTIONAL, NULL, true, "" },
        { TLS_CLIENTS_OPTIONAL, &alice, true, "CN=alice" }, { TLS_CLIENTS_OPTIONAL, &mallory, false, "" },
        { TLS_CLIENTS_REQUIRED, NULL, false, "" },       { TLS_CLIENTS_REQUIRED, &alice, true, "CN=alice" },
        { TLS_CLIENTS_REQUIRED, &mallory, false, "" },
    };
    struct tls_certificate one = made_pair(&site);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_context *context = make((struct tls_settings){ .certificates = &one, .certificate_count = 1,
            .clients = cases[i].mode, .client_ca = { slice_text(root.chain), slice_text("ca.pem") } });
        struct server server;
        struct tls_client client = meet(&server, context);
        char subject[TLS_SUBJECT_SIZE];
        SSL_set_max_proto_version(client.ssl, TLS1_2_VERSION); /* from 1.3 on a client is done before it is refused */
        if (cases[i].shown != NULL)
            SSL_use_cert_and_key(client.ssl, cases[i].shown->certificate, cases[i].shown->key, NULL, 1);
        assert_int_equal(shake_hands(&server, &client) == 0, cases[i].possible);
        assert_int_equal(server.step, cases[i].possible ? TLS_STEP_DONE : TLS_STEP_FAILED);
        size_t size = cases[i].possible ? tls_client_subject(&server.transport, subject, sizeof subject) : 0;
        assert_true(slice_equal(slice_make(subject, size), slice_text(cases[i].subject)));
        if (size > 0)
            assert_int_equal(tls_client_subject(&server.transport, subject, 4), 4);
        part(&server, &client);
        tls_context_unref(context);
    }
    made_free(&alice);
    made_free(&mallory);
}

/* A session that began when nobody had to prove anything is not resumed where everybody has to. */
static void resumes_no_session_of_other_rules(void **state)
{
    struct tls_tickets *tickets = tls_tickets_new();
    struct tls_certificate one = made_pair(&site);
    struct tls_context *open = make_with(tickets);
    struct tls_context *optional = make((struct tls_settings){ .certificates = &one, .certificate_count = 1,
        .tickets = tickets, .clients = TLS_CLIENTS_OPTIONAL, .client_ca.bytes = slice_text(root.chain) });
    SSL_SESSION *ticket = NULL;
    (void)state;
    assert_false(visit(open, &ticket, TLS1_3_VERSION));
    assert_true(visit(open, &ticket, TLS1_3_VERSION));
    assert_false(visit(optional, &ticket, TLS1_3_VERSION));
    assert_true(visit(optional, &ticket, TLS1_3_VERSION));
    SSL_SESSION_free(ticket);
    tls_context_unref(open);
    tls_context_unref(optional);
    tls_tickets_unref(tickets);
}

/* ---- Staples ---- */

static struct slice make_staple(const struct made *about, int status, long from_s, long until_s)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), about->certificate, root.certificate);
    ASN1_TIME *from = X509_gmtime_adj(NULL, from_s), *until = X509_gmtime_adj(NULL, until_s);
    unsigned char *der = NULL;
    ASN1_TIME *revoked = status == V_OCSP_CERTSTATUS_REVOKED ? from : NULL;
    assert_non_null(OCSP_basic_add1_status(basic, id, status, 0, revoked, from, until_s != 0 ? until : NULL));
    assert_int_equal(OCSP_basic_sign(basic, root.certificate, root.key, EVP_sha256(), NULL, 0), 1);
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    int size = i2d_OCSP_RESPONSE(response, &der);
    assert_true(size > 0);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    return slice_make((char *)der, (size_t)size);
}

static void staples_what_fits(void **state)
{
    const struct {
        const struct made *about;
        int status;
        long from_s, until_s;
        const char *warning;
    } cases[] = {
        { &site, V_OCSP_CERTSTATUS_GOOD, -60, 3600, NULL },
        { &site, V_OCSP_CERTSTATUS_GOOD, -60, 0, NULL },
        { &site, V_OCSP_CERTSTATUS_GOOD, -7200, -3600, "it has expired, or is not valid yet" },
        { &site, V_OCSP_CERTSTATUS_GOOD, 3600, 7200, "it has expired, or is not valid yet" },
        { &site, V_OCSP_CERTSTATUS_REVOKED, -60, 3600, "it says that the certificate is revoked" },
        { &site, V_OCSP_CERTSTATUS_UNKNOWN, -60, 3600, "it does not say that the certificate is good" },
        { &other, V_OCSP_CERTSTATUS_GOOD, -60, 3600, "it is about another certificate" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tls_certificate one = made_pair(&site);
        struct slice der = make_staple(cases[i].about, cases[i].status, cases[i].from_s, cases[i].until_s);
        one.ocsp = (struct tls_text){ der, slice_text("a.ocsp") };
        struct tls_context *context = make_of(&one, 1);
        struct server server;
        struct tls_client client = meet(&server, context);
        const unsigned char *got;
        SSL_set_tlsext_status_type(client.ssl, TLSEXT_STATUSTYPE_ocsp);
        assert_int_equal(shake_hands(&server, &client), 0);
        long size = SSL_get_tlsext_status_ocsp_resp(client.ssl, &got);
        if (cases[i].warning == NULL) {
            assert_string_equal(warned, "");
            assert_true(slice_equal(slice_make((const char *)got, (size_t)size), der));
        } else {
            assert_true(size <= 0);
            assert_non_null(strstr(warned, "a.ocsp: this OCSP response is not stapled: "));
            assert_non_null(strstr(warned, cases[i].warning));
        }
        part(&server, &client);
        tls_context_unref(context);
        OPENSSL_free((void *)der.data);
    }
}

static void staples_no_rubbish(void **state)
{
    struct tls_certificate one = made_pair(&site);
    (void)state;
    one.ocsp = (struct tls_text){ SLICE("\x30\x03\x0a\x01\x06"), slice_text("a.ocsp") }; /* "unauthorized" */
    tls_context_unref(make_of(&one, 1));
    assert_non_null(strstr(warned, "it is no answer of an authority's"));
    one.ocsp.bytes = SLICE("rubbish");
    tls_context_unref(make_of(&one, 1));
    assert_non_null(strstr(warned, "it is no answer of an authority's"));
    one.ocsp.bytes.size = TLS_TEXT_MAX + 1;
    tls_context_unref(make_of(&one, 1));
    assert_non_null(strstr(warned, "it is too large for one"));
}

/* ---- For development ---- */

static void makes_a_certificate_for_localhost(void **state)
{
    struct tls_pair pair;
    (void)state;
    assert_true(tls_self_signed(&pair, why));
    struct tls_certificate one = { .chain.bytes = slice_text(pair.chain), .key.bytes = slice_text(pair.key) };
    struct tls_context *context = make_of(&one, 1);
    assert_string_equal(warned, "");
    struct server server;
    struct tls_client client = meet(&server, context);
    BIO *bio = BIO_new_mem_buf(pair.chain, -1);
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(client.context), certificate);
    SSL_set_verify(client.ssl, SSL_VERIFY_PEER, NULL);
    assert_int_equal(SSL_set1_host(client.ssl, "localhost"), 1);
    assert_int_equal(shake_hands(&server, &client), 0);
    assert_int_equal(X509_check_ip_asc(certificate, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(certificate, "::1", 0), 1);
    part(&server, &client);
    tls_context_unref(context);
    X509_free(certificate);
    BIO_free(bio);
    tls_pair_free(&pair);
    assert_null(pair.key);
    tls_pair_free(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(refuses_weak_keys),
        cmocka_unit_test(refuses_unknown_algorithms),
        cmocka_unit_test(warns_of_what_is_odd),
        cmocka_unit_test(tells_names_and_end),
        cmocka_unit_test(chooses_by_name),
        cmocka_unit_test(chooses_wildcards_of_one_label),
        cmocka_unit_test(has_a_key_of_each_kind),
        cmocka_unit_test(speaks_no_old_versions),
        cmocka_unit_test(agrees_on_a_protocol),
        cmocka_unit_test(resumes_sessions),
        cmocka_unit_test(shares_keys_between_servers),
        cmocka_unit_test(asks_clients_for_proof),
        cmocka_unit_test(resumes_no_session_of_other_rules),
        cmocka_unit_test(staples_what_fits),
        cmocka_unit_test(staples_no_rubbish),
        cmocka_unit_test(makes_a_certificate_for_localhost),
    };
    return cmocka_run_group_tests(tests, make_certificates, free_certificates);
}
