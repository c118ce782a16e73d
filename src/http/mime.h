/* Media types by file name extension: Debian's media-types, compiled in (tools/mime_table makes the table). */
#ifndef HTTP_MIME_H
#define HTTP_MIME_H

#include "base/slice.h"

/* The Content-Type for a file of this name, "text/html; charset=utf-8"; application/octet-stream where unknown.
 * Text, JavaScript, JSON-free XML and SVG carry charset=utf-8. The slice is static. */
struct slice mime_type(struct slice name);

/* Whether content of this type ("image/svg+xml; charset=utf-8") as a rule becomes smaller when it is compressed: text,
 * what is text by its nature, and formats whose files are not compressed already. A type that nobody knows is not. */
bool mime_compressible(struct slice type);

#endif
