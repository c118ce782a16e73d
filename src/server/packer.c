/* A compressor is taken with a lock that nearly always is free: that of a worker is mostly asked for by its own
 * thread. */
#include "server/packer.h"

#include "server/server.h"

void packer_init(struct packer *packer, struct pages *payer)
{
    pthread_mutex_init(&packer->lock, NULL);
    packer->deflater = NULL;
    packer->payer = payer;
}

void packer_fini(struct packer *packer)
{
    if (packer->deflater != NULL)
        pages_discharge(packer->payer, WS_DEFLATER_SIZE);
    ws_deflater_free(packer->deflater);
    pthread_mutex_destroy(&packer->lock);
}

/* Under the lock. False: there is none, and no memory for one. */
static bool equip(struct packer *packer)
{
    if (packer->deflater != NULL)
        return true;
    if (!pages_charge(packer->payer, WS_DEFLATER_SIZE))
        return false;
    packer->deflater = ws_deflater_new();
    if (packer->deflater == NULL)
        pages_discharge(packer->payer, WS_DEFLATER_SIZE);
    return packer->deflater != NULL;
}

static struct packer *lock_one(rh_server *server, unsigned nearest)
{
    for (unsigned i = 0; i < server->workers_made; i++) {
        struct packer *packer = &server->workers[(nearest + i) % server->workers_made].packer;
        if (pthread_mutex_trylock(&packer->lock) == 0)
            return packer;
    }
    struct packer *packer = &server->workers[nearest].packer;
    pthread_mutex_lock(&packer->lock);
    return packer;
}

struct ws_parcel *packer_pack(rh_server *server, unsigned nearest, enum ws_opcode kind, struct slice bytes)
{
    struct ws_parcel *parcel = NULL;
    if (bytes.size < PACKER_SIZE_MIN)
        return NULL;
    struct packer *packer = lock_one(server, nearest);
    if (equip(packer))
        parcel = ws_parcel_deflated(packer->deflater, kind, bytes);
    pthread_mutex_unlock(&packer->lock);
    return parcel;
}
