/* Codes of more than 12 bits, by their size: { the last one, filled up with ones to 32 bits; the first one, with
 * zeros; where its symbol stands among those below; bits }. Made by tools/hpack_tables from RFC 7541, Appendix B. */
static const struct long_codes longs[] = {
{ 0xffefffff, 0xffc00000, 0, 13 }, { 0xfff7ffff, 0xfff00000, 6, 14 }, { 0xfffdffff, 0xfff80000, 8, 15 },
{ 0xfffe5fff, 0xfffe0000, 11, 19 }, { 0xfffedfff, 0xfffe6000, 14, 20 }, { 0xffff47ff, 0xfffee000, 22, 21 },
{ 0xffffafff, 0xffff4800, 35, 22 }, { 0xffffe9ff, 0xffffb000, 61, 23 }, { 0xfffff5ff, 0xffffea00, 90, 24 },
{ 0xfffff7ff, 0xfffff600, 102, 25 }, { 0xfffffbbf, 0xfffff800, 106, 26 }, { 0xfffffe1f, 0xfffffbc0, 121, 27 },
{ 0xffffffef, 0xfffffe20, 140, 28 }, { 0xffffffff, 0xfffffff0, 169, 30 },
};
static const uint8_t long_symbols[] = {
0, 36, 64, 91, 93, 126, 94, 125, 60, 96, 123, 92, 195, 208, 128, 130, 131, 162, 184, 194, 224, 226, 153, 161,
167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230, 129, 132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170,
173, 178, 181, 185, 186, 187, 189, 190, 196, 198, 228, 232, 233, 1, 135, 137, 138, 139, 140, 141, 143, 147, 149, 150,
151, 152, 155, 157, 158, 165, 166, 168, 174, 175, 180, 182, 183, 188, 191, 197, 231, 239, 9, 142, 144, 145, 148, 159,
171, 206, 215, 225, 236, 237, 199, 207, 234, 235, 192, 193, 200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242, 243,
255, 203, 204, 211, 212, 214, 221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252, 253, 254, 2, 3, 4, 5,
6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127, 220,
249, 10, 13, 22,
};
