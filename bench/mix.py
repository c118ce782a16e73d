"""The files of a site as one visit asks for them: as many styles, scripts, fonts and images as an ordinary page has, of
ordinary sizes, and text in which there is about as much to compress as in real text. The same bytes every time."""
import functools
import itertools
import random
import re

SYLLABLES = ("al an ar ba be ca ce co da de di el en er fa fo ga ge ha he ho in is ja ka ke la le li lo ma me mi mo na "
             "ne no on or pa pe po qua ra re ri ro sa se si so sta ta te ter ti to tra tu un ur va ve vi wa we wo za")
COLOURS = "fff 000 1f2933 3e4c59 616e7c 9aa5b1 e4e7eb f5f7fa 0b69a3 127fbf 40c3f7 ab091e e12d39 f9703e 3f9142"
VARIABLES = "etnriaosulcdfphm"

# What texts are put together from. @w is a word, @v a variable, @n a number, @c a colour, @s a sentence.
PIECES = {
    "html": ('<p>@s @s @s</p>\n', '<p>@s <a href="/@w/@w.html">@w @w</a> @s <em>@w</em> @s</p>\n',
             '<section class="@w @w--@w" id="@w"><h2>@w @w @w</h2><p>@s @s</p></section>\n',
             '<ul class="@w__list"><li>@s</li><li>@s</li><li><code>@w_@w(@v)</code> @s</li></ul>\n',
             '<figure><img src="/assets/@w.webp" width="@n0" height="@n0" alt="@w @w" loading="lazy"><figcaption>@s'
             '</figcaption></figure>\n',
             '<div class="card card--@w"><h3><a href="/@w/@w/">@w @w</a></h3><p>@s</p><time>@n @w</time></div>\n'),
    "css": ('.@w{margin:0 0 @npx;color:#@c;font-size:1.@nrem}\n', '.@w__@w{display:flex;align-items:center}\n',
            '.@w--@w:hover{background:#@c;border-color:#@c;transition:@w .@ns ease-in-out}\n',
            '.@w>.@w{position:absolute;top:@npx;left:@npx;width:100%;z-index:@n}\n', '.@w h@n,.@w p{opacity:.@n}\n',
            '@media (min-width:@n0px){.@w{max-width:@nrem;padding:@npx @npx}.@w__@w{flex:1 1 @n%}}\n',
            '.@w a{text-decoration:none;border-bottom:1px solid #@c;padding-bottom:.@nrem;font-weight:600}\n',
            '.@w__@w::before{content:"";box-shadow:0 @npx @npx rgba(0,0,0,.@n);transform:translateY(-@npx)}\n'),
    "js": ('function @v(@v,@v){return @v.@w?@v(@v.@w,@v):@v.@w("@w")}', 'var @v=@v.@w,@v=@v[@n]||{};',
           'if(@v&&!@v.@w){@v.@w=@v(@v),@v.@w(@v,@n)}', 'const {@w:@v,@w:@v}=@v;',
           '@v.prototype.@w=function(@v){this.@w=@v;return this};', 'try{@v(@v.@w)}catch(@v){@v("@s",@v)}',
           'for(var @v=0;@v<@v.length;@v++)@v[@v].@w(@v,"@w-@w");', '@v=Math.max(@n,Math.min(@v.@w,@n));',
           '@v.addEventListener("@w",@v=>{@v.preventDefault(),@v(@v)});', '@v.@w=(@v,@v)=>@v.@w(@v)+@v.@w*@n,',
           'switch(@v.@w){case"@w":return @v(@v);case"@w":return @v.@w;default:return null}',
           '@v.exports={@w:@v,@w:@v,@w:function(@v){return @v+@n}};', 'while(@v.@w<@n&&@v)(@v=@v.@w).@w();'),
    "svg": ('<path d="M@n.@n @n.@nc@n-@n @n.@n @n @n-.@nl@n @nz" fill="#@c"/>\n',
            '<circle cx="@n" cy="@n.@n" r="@n" stroke="#@c" stroke-width="2" fill="none"/>\n'),
    "json": ('{"id":@n@n,"name":"@w @w","path":"/@w/@w/","tags":["@w","@w"],"text":"@s"},\n',),
}
FRAMES = {
    "html": ('<!doctype html>\n<html lang="en"><title>Site</title>\n<link rel="stylesheet" href="/assets/site.css">\n',
             '</html>\n'),
    "css": (':root{font-size:100%}\n', 'html{scroll-behavior:smooth}\n'), "js": ('"use strict";(()=>{', '})();\n'),
    "svg": ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 99 99">\n', '</svg>\n'), "json": ('[', '{}]\n'),
}
# What is compressed already is noise behind its kind's first bytes.
MAGIC = {"woff2": b"wOF2\0\1\0\0", "png": b"\x89PNG\r\n\x1a\n", "jpg": b"\xff\xd8\xff\xe0\0\x10JFIF",
         "webp": b"RIFF\0\0\0\0WEBPVP8 ", "ico": b"\0\0\1\0\1\0"}

# In the order in which a browser finds them.
KILOBYTES = {
    "index.html": 38, "assets/site.css": 62, "assets/theme.css": 17, "assets/app.js": 168, "assets/vendor.js": 131,
    "assets/menu.js": 21, "assets/count.js": 6, "assets/regular.woff2": 29, "assets/bold.woff2": 31,
    "assets/italic.woff2": 24, "assets/logo.svg": 4, "assets/icons.svg": 15, "assets/drawing.svg": 34,
    "assets/hero.webp": 94, "assets/team.jpg": 61, "assets/map.png": 43, "assets/one.webp": 18, "assets/two.webp": 22,
    "assets/three.webp": 12, "assets/four.jpg": 27, "assets/five.jpg": 16, "assets/badge.png": 3,
    "assets/flag.png": 0.7, "assets/dot.png": 0.1, "assets/search.json": 24, "favicon.ico": 1.1,
}


@functools.cache
def zipf_weights(count):
    return tuple(itertools.accumulate(1 / rank for rank in range(3, count + 3)))


class Author:
    """Words come by Zipf's law, as in any language, and sentences are made of phrases, some of which one hears again
    and again; the rest is chance."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        syllables = SYLLABLES.split()
        words = sorted({"".join(self.draw.choices(syllables, k=1 + rank % 4)) for rank in range(1500)})
        self.ranked = {"w": sorted(words, key=len), "v": VARIABLES, "c": COLOURS.split()}
        self.phrases = [" ".join(self.some(self.ranked["w"], self.draw.randint(1, 5))) for _ in range(1000)]

    def some(self, ranked, count):
        return self.draw.choices(ranked, cum_weights=zipf_weights(len(ranked)), k=count)

    def fill(self, found):
        if found[1] == "s":
            return ", ".join(self.some(self.phrases, self.draw.randint(2, 7))).capitalize() + "."
        if found[1] == "n":
            return str(int(self.draw.expovariate(0.1)))
        return self.some(self.ranked[found[1]], 1)[0]

    def text(self, kind, size):
        begin, end = FRAMES[kind]
        pieces = [begin]
        while size > 0:
            pieces.append(re.sub("@([wvncs])", self.fill, self.draw.choice(PIECES[kind])))
            size -= len(pieces[-1])
        return "".join([*pieces, end]).encode()

    def file(self, name, size):
        kind = name.rpartition(".")[2]
        return self.text(kind, size) if kind in PIECES else MAGIC[kind] + self.draw.randbytes(size - len(MAGIC[kind]))


def is_text(name):
    return name.rpartition(".")[2] in PIECES


def make_files():
    author = Author(seed=1993)
    return {name: author.file(name, int(kilobytes * 1024)) for name, kilobytes in KILOBYTES.items()}
