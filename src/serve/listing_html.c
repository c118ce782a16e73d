/* Writes the page of a listing. It needs nothing but itself: no script, no font, no picture, so it can be shown under a
 * strict policy and offline; sorting is a link. End tags that HTML lets one leave out are left out.
 *
 * Where a name comes from and who may see it is not known here: each is written as text, whatever is in it. */
#include "serve/listing_html.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "serve/percent.h"

static const struct slice page_start = SLICE_INIT(
    "<!doctype html>\n"
    "<html lang=\"en\">\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>Index of ");

/* The shapes of a folder and of a sheet are cut out of a square. Links fill their cells, so that they are easy to hit;
 * a name that is broken into lines stays clear of its shape. */
static const struct slice page_style = SLICE_INIT(
    "</title>\n"
    "<style>\n"
    ":root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--paper:#f6f7f9;--sheet:#fff;--line:#e1e5ea;"
    "--hover:#eef3fc;--mark:#2864cf}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#98a3b3;--paper:#14181e;--sheet:#1b2027;"
    "--line:#2b323c;--hover:#232b37;--mark:#7aa7f8}}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}\n"
    "main{max-width:60rem;margin:auto;padding:2rem 1rem 3rem}\n"
    "h1{margin:0;font-size:1.4rem;line-height:1.3;overflow-wrap:anywhere}\n"
    "p{margin:.25rem 0 1.25rem;color:var(--soft)}\n"
    "a{color:var(--mark);text-decoration:none}\n"
    "a:hover{text-decoration:underline}\n"
    "a:focus-visible{outline:2px solid var(--mark);outline-offset:-2px}\n"
    "table{width:100%;border-collapse:separate;border-spacing:0;background:var(--sheet);border:1px solid var(--line);"
    "border-radius:.5rem;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.4rem .9rem;text-align:right;vertical-align:top;color:var(--soft)}\n"
    "th{padding:0;text-align:left;font-weight:400}\n"
    "thead th{position:sticky;top:0;background:var(--sheet);border-bottom:1px solid var(--line);"
    "border-radius:.5rem 0 0;font-size:.9rem;font-weight:600;white-space:nowrap}\n"
    "thead th+th{border-radius:0 .5rem 0 0;text-align:right}\n"
    "thead a{padding:.5rem .9rem;color:var(--soft)}\n"
    "[aria-sort] a{color:var(--ink)}\n"
    "[aria-sort=ascending] a::after{content:\" \\2191\"}\n"
    "[aria-sort=descending] a::after{content:\" \\2193\"}\n"
    "th a{display:block}\n"
    "tbody tr+tr>*{border-top:1px solid var(--line)}\n"
    "tbody tr:hover>*{background:var(--hover)}\n"
    "tbody a{position:relative;padding:.4rem .9rem .4rem 2.5rem;overflow-wrap:anywhere;white-space:pre-wrap}\n"
    "tbody a::before{content:\"\";position:absolute;left:.95rem;top:.7rem;width:.8rem;height:1rem;"
    "background:var(--soft);opacity:.55;clip-path:polygon(0 0,60% 0,100% 32%,100% 100%,0 100%)}\n"
    ".folder a::before{left:.85rem;top:.72rem;width:1.05rem;height:.9rem;background:var(--mark);opacity:1;"
    "clip-path:polygon(0 0,38% 0,50% 16%,100% 16%,100% 100%,0 100%)}\n"
    ".up a::before{top:.75rem;height:.8rem;background:var(--soft);opacity:1;"
    "clip-path:polygon(50% 0,95% 50%,62% 50%,62% 100%,38% 100%,38% 50%,5% 50%)}\n"
    "td{white-space:nowrap}\n"
    "@media(max-width:30rem){main{padding:1rem .5rem}th,td,thead a{padding-left:.5rem;padding-right:.5rem}"
    "th{padding:0}time{white-space:normal}table{font-size:.9rem}}\n"
    "</style>\n"
    "<main>\n"
    "<h1>");

/* ---- Names --------------------------------------------------------------------------------------------------- */

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == '\x7f';
}

/* How many bytes at the front are text that can be shown. */
static size_t shown_size(struct slice text)
{
    size_t at = 0, size;
    while ((size = utf8_size(slice_skip(text, at))) > 0 && !is_control(text.data[at]))
        at += size;
    return at;
}

/* A name, perhaps with its slash. A control, or a byte that is not part of UTF-8, is shown as U+FFFD. */
static void write_shown(struct writer *w, struct slice text)
{
    if (text.size > LISTING_NAME_MAX + 1)
        text.size = LISTING_NAME_MAX + 1;
    while (text.size > 0) {
        size_t size = shown_size(text);
        writer_html(w, slice_part(text, 0, size));
        text = slice_skip(text, size);
        if (text.size > 0) {
            writer_text(w, "\xEF\xBF\xBD");
            text = slice_skip(text, 1);
        }
    }
}

/* "./" because a colon in a name would otherwise end a scheme (RFC 3986 4.2); "&" and "'" may stand in a path, but not
 * in an attribute. */
static void write_link(struct writer *w, const struct listing_entry *entry)
{
    char text[3 * LISTING_NAME_MAX];
    struct writer path = writer_on(text, sizeof text);
    percent_write(&path, entry->name);
    writer_text(w, "./");
    writer_html(w, writer_slice(&path));
    writer_text(w, entry->is_folder ? "/" : "");
}

/* ---- Above the table ----------------------------------------------------------------------------------------- */

/* The path's last segment with its slash: "docs/" of "/files/docs/", and "/" itself. */
static struct slice last_segment(struct slice path)
{
    size_t from = path.size - 1;
    while (from > 0 && path.data[from - 1] != '/')
        from--;
    return from > 0 ? slice_skip(path, from) : path;
}

static bool write_title(struct listing *listing, struct writer *w)
{
    writer_put(w, page_start);
    write_shown(w, last_segment(listing->folder.path));
    return false;
}

static bool write_style(struct listing *listing, struct writer *w)
{
    (void)listing;
    writer_put(w, page_style);
    return false;
}

enum { CRUMBS_MAX = 32 }; /* the nearest ancestors; each link to a farther one would be longer than the one before */

static unsigned count_slashes(struct slice path)
{
    unsigned count = 0;
    for (size_t i = 0; i < path.size; i++)
        count += path.data[i] == '/';
    return count;
}

/* The path, each segment of which is a link to the folder that it names; `at` is where the next segment begins. */
static bool write_crumb(struct listing *listing, struct writer *w)
{
    struct slice rest = slice_skip(listing->folder.path, listing->at);
    size_t size = slice_find(rest, '/') + 1;
    unsigned above = count_slashes(slice_skip(rest, size));
    listing->at += size;
    if (above > CRUMBS_MAX)
        return true;
    if (above == CRUMBS_MAX && size < listing->at)
        writer_text(w, "\xE2\x80\xA6/"); /* an ellipsis for what is farther away */
    if (above > 0) {
        writer_text(w, "<a href=\"");
        for (unsigned i = 0; i < above; i++)
            writer_text(w, "../");
        writer_text(w, "\">");
    }
    write_shown(w, slice_part(rest, 0, size));
    writer_text(w, above > 0 ? "</a>" : "</h1>\n");
    return above > 0;
}

static void write_count(struct writer *w, size_t count, const char *noun)
{
    writer_uint(w, count);
    writer_byte(w, ' ');
    writer_text(w, noun);
    writer_text(w, count == 1 ? ", " : "s, ");
}

/* With one decimal, rounded: 999 B, 1.0 kB, 12.3 MB. */
static void write_size(struct writer *w, uint64_t size)
{
    static const char units[] = "kMGTPE";
    if (size < 1000) {
        writer_uint(w, size);
        writer_text(w, " B");
        return;
    }
    uint64_t tenth = 100, tenths;
    size_t unit = 0;
    for (;; unit++, tenth *= 1000) {
        tenths = size / tenth + (size % tenth >= tenth / 2);
        if (tenths < 10000 || unit + 2 == sizeof units)
            break;
    }
    writer_uint(w, tenths / 10);
    writer_byte(w, '.');
    writer_uint(w, tenths % 10);
    writer_byte(w, ' ');
    writer_byte(w, units[unit]);
    writer_byte(w, 'B');
}

static bool write_summary(struct listing *listing, struct writer *w)
{
    writer_text(w, "<p>");
    if (listing->folder.count == 0) {
        writer_text(w, "This folder is empty.");
    } else {
        write_count(w, listing->folder_count, "folder");
        write_count(w, listing->folder.count - listing->folder_count, "file");
        write_size(w, listing->bytes);
    }
    writer_text(w, "</p>\n<table aria-label=\"Content of this folder\">\n<thead>\n<tr>");
    return false;
}

/* ---- The table ----------------------------------------------------------------------------------------------- */

/* A first click on a size or a date asks for the largest or the latest; a click on what is sorted by turns it round. */
static bool is_next_descending(const struct listing *listing, enum listing_key key)
{
    return listing->order.key == key ? !listing->order.descending : key != LISTING_BY_NAME;
}

static bool write_column(struct listing *listing, struct writer *w)
{
    static const char *const titles[LISTING_KEYS] = {
        [LISTING_BY_NAME] = "Name",
        [LISTING_BY_SIZE] = "Size",
        [LISTING_BY_DATE] = "Modified (UTC)",
    };
    enum listing_key key = (enum listing_key)listing->at++;
    writer_text(w, "<th scope=\"col\"");
    if (key == listing->order.key)
        writer_text(w, listing->order.descending ? " aria-sort=\"descending\"" : " aria-sort=\"ascending\"");
    writer_text(w, "><a href=\"?sort=");
    writer_put(w, listing_key_name(key));
    writer_text(w, is_next_descending(listing, key) ? "&amp;order=desc\">" : "&amp;order=asc\">");
    writer_text(w, titles[key]);
    writer_text(w, "</a>");
    return listing->at < LISTING_KEYS;
}

static bool write_parent(struct listing *listing, struct writer *w)
{
    writer_text(w, "\n<tbody>\n");
    if (listing->folder.path.size > 1)
        writer_text(w, "<tr class=\"folder up\"><th scope=\"row\"><a href=\"../\">Parent folder</a><td><td>\n");
    return false;
}

static void write_date(struct writer *w, int64_t modified_s)
{
    char stamp[CLOCK_STAMP_SIZE];
    clock_format_stamp(modified_s, 0, stamp);
    writer_text(w, "<time datetime=\"");
    writer_bytes(w, stamp, sizeof "2026-01-31T08:49:37" - 1);
    writer_text(w, "Z\">");
    writer_bytes(w, stamp, sizeof "2026-01-31" - 1);
    writer_byte(w, ' ');
    writer_bytes(w, stamp + sizeof "2026-01-31", sizeof "08:49" - 1);
    writer_text(w, "</time>");
}

static void write_file_size(struct writer *w, uint64_t size)
{
    writer_text(w, "<td title=\"");
    writer_uint(w, size);
    writer_text(w, size == 1 ? " byte\">" : " bytes\">");
    write_size(w, size);
}

static bool write_row(struct listing *listing, struct writer *w)
{
    if (listing->at == listing->folder.count)
        return false;
    const struct listing_entry *entry = &listing->folder.entries[listing->at++];
    writer_text(w, entry->is_folder ? "<tr class=\"folder\"><th scope=\"row\"><a href=\""
                                    : "<tr><th scope=\"row\"><a href=\"");
    write_link(w, entry);
    writer_text(w, "\">");
    write_shown(w, entry->name);
    writer_text(w, entry->is_folder ? "/</a>" : "</a>");
    if (entry->is_folder)
        writer_text(w, "<td>");
    else
        write_file_size(w, entry->size);
    writer_text(w, "<td>");
    if (entry->modified_s >= 0)
        write_date(w, entry->modified_s);
    writer_byte(w, '\n');
    return true;
}

static bool end_page(struct listing *listing, struct writer *w)
{
    (void)listing;
    writer_text(w, "</table>\n</main>\n</html>\n");
    return false;
}

listing_stage *const listing_html_stages[] = {
    write_title, write_style,  write_crumb, write_summary, write_column,
    write_parent, write_row,   end_page,    NULL,
};
