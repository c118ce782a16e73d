/* The page of a listing, as stages for listing.c. */
#ifndef SERVE_LISTING_HTML_H
#define SERVE_LISTING_HTML_H

#include "serve/listing.h"

extern listing_stage *const listing_html_stages[]; /* NULL at the end */

#endif
