/* A chat: a page, and a WebSocket over which everybody hears what anybody says.
 *
 *     ./dev build examples/chat && build/examples/chat     and open http://localhost:8080/
 *
 * With "--listen ADDRESS" it listens elsewhere.
 */
#include <rawhttp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char page[] =
    "<!doctype html><html lang=en><meta charset=utf-8><title>Chat</title>"
    "<style>body{font:1rem/1.5 system-ui;max-width:40rem;margin:2rem auto;padding:0 1rem}"
    "#said{list-style:none;padding:0;overflow-wrap:anywhere}input{font:inherit;width:100%}</style>"
    "<h1>Chat</h1><p id=state role=status>connecting</p><ul id=said aria-live=polite></ul>"
    "<form><label>Say something <input name=text autocomplete=off maxlength=500 autofocus></label></form>"
    "<script>"
    "const state = document.getElementById('state'), said = document.getElementById('said'), form = document.forms[0];"
    "let socket;"
    "function connect() {"
    "  socket = new WebSocket(location.href.replace(/^http/, 'ws').replace(/[^/]*$/, 'chat'));"
    "  socket.onopen = () => state.textContent = 'connected';"
    "  socket.onclose = () => { state.textContent = 'connecting again'; setTimeout(connect, 1000); };"
    "  socket.onmessage = event => {"
    "    said.append(Object.assign(document.createElement('li'), { textContent: event.data }));"
    "    if (said.childElementCount > 200) said.firstElementChild.remove();"
    "  };"
    "}"
    "form.onsubmit = event => {"
    "  event.preventDefault();"
    "  if (form.text.value && socket.readyState === 1) { socket.send(form.text.value); form.text.value = ''; }"
    "};"
    "connect();"
    "</script>";

static void say(rh_topic *room, const char *text)
{
    rh_topic_send(room, RH_TEXT, text, strlen(text));
}

static void opened(rh_socket *socket, void *room)
{
    rh_topic_join(room, socket);
    say(room, "somebody has come");
}

static void message(rh_socket *socket, void *room, enum rh_message_kind kind, rh_slice bytes)
{
    (void)socket;
    if (kind == RH_TEXT)
        rh_topic_send(room, kind, bytes.data, bytes.size);
}

static void closed(rh_socket *socket, void *room, unsigned code, rh_slice reason)
{
    (void)socket;
    (void)code;
    (void)reason;
    say(room, "somebody has gone");
}

static void chat(rh_request *request, void *room)
{
    static const rh_websocket_options options = { .opened = opened, .message = message, .closed = closed,
                                                  .message_max = 2000 };
    rh_websocket(request, &options, room);
}

static void show_page(rh_request *request, void *unused)
{
    (void)unused;
    rh_set(request, "Content-Security-Policy",
           "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'");
    rh_html(request, page);
}

/* One thread waits for the signals that all others have blocked. */
static void wait_for_signal(const sigset_t *signals)
{
    int number;
    sigwait(signals, &number);
}

int main(int count, char **words)
{
    const char *listen = count == 3 && strcmp(words[1], "--listen") == 0 ? words[2] : "localhost:8080";
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);

    rh_server *server = rh_server_new((rh_options){ .listen = listen, .log = rh_log_stderr });
    rh_topic *room = rh_topic_new(server, (rh_topic_options){ .close_slow = true });
    rh_route(server, "GET /", show_page, NULL);
    rh_route(server, "GET /chat", chat, room);
    if (room == NULL || rh_start(server) != 0) {
        fprintf(stderr, "%s\n", rh_error(server));
        rh_topic_free(room);
        rh_server_free(server);
        return 1;
    }
    printf("http://localhost:%u/\n", rh_port(server));
    fflush(stdout);
    wait_for_signal(&signals);
    rh_drain(server);
    rh_wait(server);
    rh_topic_free(room);
    rh_server_free(server);
    return 0;
}
