/* Our HPACK for a program that has another one (hpack_against.py): it is told what to do in lines, and answers so.
 *
 *     new                    both sides begin again
 *     decode HEX             a block: its fields, one a line, "name=value" in hexadecimal, then "." or "malformed"
 *     field NAME VALUE       one for the block that is being written, in hexadecimal, "-" for nothing
 *     plain NAME VALUE       the same without the table
 *     limit SIZE             the peer's SETTINGS_HEADER_TABLE_SIZE
 *     write                  the block: in hexadecimal
 */
#include <stdio.h>
#include <stdlib.h>

#include "wire/hpack_decode.h"
#include "wire/hpack_encode.h"

enum { LINE_MAX = 200000 };

struct coder {
    struct hpack_decoder decoder;
    struct hpack_encoder encoder;
    struct writer block;
    bool begun;
    char octets[LINE_MAX], text[FIELDS_HEAD_MAX];
};

static void put_hex(struct slice octets)
{
    for (size_t i = 0; i < octets.size; i++)
        printf("%02x", (uint8_t)octets.data[i]);
}

static struct slice take_hex(const char *hex, char *room)
{
    struct writer w = writer_on(room, LINE_MAX);
    unsigned octet;
    for (; sscanf(hex, "%2x", &octet) == 1 && hex[0] > ' '; hex += 2)
        writer_byte(&w, (char)octet);
    return writer_slice(&w);
}

static void decode(struct coder *coder, const char *hex)
{
    struct writer text = writer_on(coder->text, sizeof coder->text);
    struct hpack_decode decode;
    struct hpack_field field;
    enum hpack_result result;
    hpack_decode_begin(&decode, &coder->decoder, take_hex(hex, coder->octets), &text);
    while ((result = hpack_decode_next(&decode, &field)) == HPACK_FIELD) {
        put_hex(hpack_nameless(field.id) ? hpack_pseudo_name(field.id)
                                         : slice_make(text.start + field.at.name, field.at.name_size));
        putchar('=');
        put_hex(slice_make(text.start + field.at.value, field.at.value_size));
        putchar('\n');
    }
    puts(result == HPACK_END ? "." : result == HPACK_MALFORMED ? "malformed" : "too large");
}

static void begin(struct coder *coder)
{
    if (coder->begun)
        return;
    coder->block = writer_on(coder->octets, sizeof coder->octets);
    coder->begun = true;
    hpack_encoder_begin(&coder->encoder, &coder->block);
}

static void add_field(struct coder *coder, const char *line, bool plain)
{
    static char names[LINE_MAX], values[LINE_MAX];
    const char *name_hex = strchr(line, ' ') + 1, *value_hex = strchr(name_hex, ' ') + 1;
    struct slice name = take_hex(name_hex, names), value = take_hex(value_hex, values);
    begin(coder);
    if (plain)
        hpack_encode_field(&coder->block, name, value);
    else
        hpack_encoder_field(&coder->encoder, &coder->block, name, value);
}

static void write_block(struct coder *coder)
{
    begin(coder);
    put_hex(writer_slice(&coder->block));
    putchar('\n');
    coder->begun = false;
}

static void obey(struct coder *coder, const char *line)
{
    if (strncmp(line, "decode ", 7) == 0) {
        decode(coder, line + 7);
    } else if (strncmp(line, "field ", 6) == 0 || strncmp(line, "plain ", 6) == 0) {
        add_field(coder, line, line[0] == 'p');
    } else if (strncmp(line, "limit ", 6) == 0) {
        hpack_encoder_limit(&coder->encoder, (uint32_t)strtoul(line + 6, NULL, 10));
    } else if (strncmp(line, "write", 5) == 0) {
        write_block(coder);
    } else if (strncmp(line, "new", 3) == 0) {
        hpack_decoder_fini(&coder->decoder);
        hpack_encoder_fini(&coder->encoder);
        hpack_decoder_init(&coder->decoder);
        hpack_encoder_init(&coder->encoder);
    } else {
        fprintf(stderr, "hpack_coder: %s", line);
        exit(EXIT_FAILURE);
    }
}

int main(void)
{
    static char line[2 * LINE_MAX];
    struct coder *coder = calloc(1, sizeof *coder);
    if (!coder)
        return EXIT_FAILURE;
    hpack_decoder_init(&coder->decoder);
    hpack_encoder_init(&coder->encoder);
    while (fgets(line, sizeof line, stdin)) {
        obey(coder, line);
        fflush(stdout);
    }
    hpack_decoder_fini(&coder->decoder);
    hpack_encoder_fini(&coder->encoder);
    free(coder);
    return EXIT_SUCCESS;
}
