/* The page needs nothing but itself: no script, no font, no picture, so it can be shown under the strictest policy,
 * offline, and when everything else has failed. */
#include "serve/error_page.h"

#include "http/status.h"

static const struct error_text texts[] = {
    { 400, SLICE_INIT("The browser sent a request that this server could not understand.") },
    { 401, SLICE_INIT("You have to sign in to see this page.") },
    { 403, SLICE_INIT("You are not allowed to see this page.") },
    { 404, SLICE_INIT("There is no page at this address. It may have moved, or the address may be mistyped.") },
    { 405, SLICE_INIT("This address exists, but it cannot be used in this way.") },
    { 406, SLICE_INIT("This page is not available in a form that your browser accepts.") },
    { 408, SLICE_INIT("The request took too long to arrive. Please try again.") },
    { 409, SLICE_INIT("Somebody changed this in the meantime. Load it again, then repeat your change.") },
    { 410, SLICE_INIT("This page was removed and will not come back.") },
    { 411, SLICE_INIT("The request did not say how long it is, so it was not accepted.") },
    { 412, SLICE_INIT("This page is not as the request expected it; it may have changed in the meantime.") },
    { 413, SLICE_INIT("What was sent is larger than this server accepts.") },
    { 414, SLICE_INIT("The address is longer than this server accepts.") },
    { 415, SLICE_INIT("What was sent is of a kind that this address does not accept.") },
    { 416, SLICE_INIT("The part that was asked for lies beyond the end of this file.") },
    { 417, SLICE_INIT("The request expected something that this server cannot do.") },
    { 421, SLICE_INIT("The request reached a server that does not answer for this address.") },
    { 422, SLICE_INIT("The request was understood, but something in what was sent is not right.") },
    { 426, SLICE_INIT("This address can only be used with another protocol.") },
    { 428, SLICE_INIT("A change has to say which version it is based on, so that nobody's work is overwritten.") },
    { 429, SLICE_INIT("There were too many requests in a short time. Please wait a little, then try again.") },
    { 431, SLICE_INIT("The browser sent more headers than this server accepts. Deleting cookies may help.") },
    { 451, SLICE_INIT("This page cannot be shown for legal reasons.") },
    { 500, SLICE_INIT("Something went wrong on our side. Please try again later.") },
    { 501, SLICE_INIT("The request asked for something that this server cannot do.") },
    { 502, SLICE_INIT("Another server that is needed for this page gave no proper answer. Please try again later.") },
    { 503, SLICE_INIT("The server has too much to do at the moment. Please try again shortly.") },
    { 504, SLICE_INIT("Another server that is needed for this page did not answer in time. Please try again later.") },
    { 505, SLICE_INIT("The browser speaks a version of HTTP that this server does not.") },
    { 507, SLICE_INIT("The server has no room to keep what was sent.") },
};

static const struct slice page_start = SLICE_INIT(
    "<!doctype html>\n"
    "<html lang=\"en\">\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>");

static const struct slice page_style = SLICE_INIT(
    "</title>\n"
    "<style>\n"
    ":root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--paper:#f6f7f9;--mark:#2864cf}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#98a3b3;--paper:#14181e;--mark:#7aa7f8}}\n"
    "body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--paper);color:var(--ink);"
    "font:1.05rem/1.6 system-ui,sans-serif}\n"
    "main{max-width:32rem;padding:2rem}\n"
    ".code{margin:0;font-size:5rem;font-weight:700;line-height:1;letter-spacing:-.03em;color:var(--mark)}\n"
    "h1{margin:.4rem 0 1rem;font-size:1.5rem}\n"
    "p{margin:0 0 1rem;color:var(--soft)}\n"
    ".detail{padding-left:1rem;border-left:3px solid var(--mark);color:var(--ink);overflow-wrap:anywhere}\n"
    "</style>\n"
    "<main>\n"
    "<p class=\"code\">");

const struct error_text *error_text_at(size_t index)
{
    return index < sizeof texts / sizeof texts[0] ? &texts[index] : NULL;
}

/* A client treats a status that it does not know like the x00 of its class (RFC 9110 15), and so does the text. */
static struct slice find_sentence(unsigned status)
{
    struct slice sentence = { NULL, 0 };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].status == status || texts[i].status == status / 100 * 100)
            sentence = texts[i].sentence;
    return sentence;
}

void error_page_html(struct writer *w, unsigned status, struct slice detail)
{
    writer_put(w, page_start);
    writer_uint(w, status);
    writer_byte(w, ' ');
    writer_html(w, status_reason(status));
    writer_put(w, page_style);
    writer_uint(w, status);
    writer_put(w, SLICE("</p>\n<h1>"));
    writer_html(w, status_reason(status));
    writer_put(w, SLICE("</h1>\n<p>"));
    writer_html(w, find_sentence(status));
    writer_put(w, SLICE("</p>\n"));
    if (detail.size > 0) {
        writer_put(w, SLICE("<p class=\"detail\">"));
        writer_html(w, detail);
        writer_put(w, SLICE("</p>\n"));
    }
    writer_put(w, SLICE("</main>\n</html>\n"));
}

/* "about:blank" says that the title is the status's own phrase (RFC 9457 4.2.1). */
void error_page_json(struct writer *w, unsigned status, struct slice detail)
{
    writer_put(w, SLICE("{\"type\":\"about:blank\",\"title\":\""));
    writer_json(w, status_reason(status));
    writer_put(w, SLICE("\",\"status\":"));
    writer_uint(w, status);
    if (detail.size > 0) {
        writer_put(w, SLICE(",\"detail\":\""));
        writer_json(w, detail);
        writer_byte(w, '"');
    }
    writer_put(w, SLICE("}\n"));
}
