/* A budget is a moment: the one at which it will be full again. Each thing counted moves it on by the time that earns
 * back one, and a budget is used up where that moment is too far away. */
#include "wire/h2_flood.h"

static const struct {
    uint16_t burst;   /* so many at once */
    uint16_t each_ms; /* what earns back one */
} budgets[H2_FLOOD_KINDS] = {
    [H2_FLOOD_RESETS] = { 500, 20 },   /* a browser that leaves a page resets what is in flight: 100 or so */
    [H2_FLOOD_ASKS] = { 500, 20 },     /* gRPC measures round trips with a PING for each, some 100 a second */
    [H2_FLOOD_NOTHING] = { 2000, 5 },
};

bool h2_flood_allows(struct h2_flood *flood, enum h2_flood_kind kind, uint64_t now_ms)
{
    uint32_t now = (uint32_t)now_ms, *full = &flood->full_ms[kind];
    uint32_t most = (uint32_t)budgets[kind].burst * budgets[kind].each_ms;
    if (*full - now > most) /* it has been full for a while, or since ever */
        *full = now;
    *full += budgets[kind].each_ms;
    return *full - now <= most;
}
