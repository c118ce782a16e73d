/* Real names, both ways: what build tools make of files, and what people call them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "serve/hashed_name.h"

/* From memory of its own size, so that reading beyond it is noticed. */
static bool hashed(const char *name)
{
    size_t size = strlen(name);
    char *copy = malloc(size + (size == 0));
    memcpy(copy, name, size);
    bool is = hashed_name(slice_make(copy, size));
    free(copy);
    return is;
}

static void check(const char *const *names, bool wanted)
{
    for (; *names; names++)
        if (hashed(*names) != wanted)
            fail_msg("%s is %s", *names, wanted ? "one" : "none");
}

static void test_names_with_a_hash(void **state)
{
    static const char *const names[] = {
        /* webpack, Create React App, Vue, Docusaurus, MkDocs */
        "app.3f9ac2d1.js", "main.3f9ac2d1.chunk.js", "2.9b8df4f3.chunk.css", "runtime~main.0a1b2c3d.js",
        "chunk-vendors.8f5a2c1e.css", "main.79ae519e.min.js", "bundle.79ae519e.min.js", "app.3f9ac2d1.js.map",
        "vendors~main.7d5f9c2e4b1a.js", "static/media/logo.6ce24c58.svg", "/static/js/main.4e2ff087.js",
        "103a8f2e4d5c6b7a8f90.png", "787.1f4e9a6c.chunk.js", "common.b77ff354.esm.js",
        /* md5, sha1, sha256: Rails, Django, Hugo, Phoenix, Ember, Meteor, mdBook */
        "application-4f2ab3c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7081.css", "base.5af66c1b1797.css",
        "main.min.9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.css",
        "app-d41d8cd98f00b204e9800998ecf8427e.js", "d41d8cd98f00b204e9800998ecf8427e.png",
        "vendor-2fd4e1c67a2d28fced849ee1bb76e739.js", "da39a3ee5e6b4b0d3255bfef95601890afd80709.js",
        "general-e6e2a5f1.css", "highlight-493f70e1.css",
        /* Next, Gatsby, rustdoc, wasm-bindgen, Parcel */
        "webpack-9fd3af1ab1a1e1d2.js", "4bd1b696-8e2fd5a1b2c3d4e5.js", "e4af272ccee01ff0-s.p.woff2",
        "7b1a3c5d9e2f4680.css", "framework-2c79e2a64abdb08b.js", "FiraSans-Regular-0fe48ade.woff2",
        "SourceSerif4-Regular-6b053e98.ttf.woff2", "rustdoc-9bb858ba049f1f21.css", "site-4f1a2b3c4d5e6f70_bg.wasm",
        "index.0c7b1f3a.js", "inter_3f9ac2d1.woff2",
        /* esbuild, Angular */
        "chunk-ABCDEF12.js", "main-5HJ2KQ7B.css", "polyfills-FFHMD2TL.js", "styles-5INURTSO.css",
        "main-5HJ2KQ7B.js.map", "media/bg-5HJ2KQ7B.png", "worker-W2UXZN4D.js",
        /* Vite, Rollup, Astro, SvelteKit, Nuxt */
        "index.Bx7k2d9_.css", "index-D4kf2j9a.js", "start.Bx7Yz2aB.js", "hoisted.CxYz12ab.js", "index-D3kf-9aB.js",
        "entry.D4kf_j2a.css", "_app-B2x9Kd_1.js", "logo-Bx7k2d9Q.png", "/_astro/page.C4d_F2k9.js",
        /* base 36 and 62, longer */
        "app.1k2j3h4g5f.js", "app.Zk3bX9pQ2mR7tL4v.js",
        /* hardly a day, a month or a word */
        "app.12ab3456.js", "photo-20241331a1.png", "photo-20240001a1.png", "photo-20240132a1.png",
        "photo-20240100a1.png", "photo-21240101a1.png", "index-3F9aC2d1.js",
        /* endings in any case */
        "IMG-3F9AC2D1.JPG", "app.3F9AC2D1.JS",
        NULL
    };
    (void)state;
    check(names, true);
}

static void test_ordinary_names(void **state)
{
    static const char *const names[] = {
        /* libraries with versions */
        "jquery-3.6.0.min.js", "jquery.js", "bootstrap.min.css", "bootstrap.bundle.min.js", "d3.v7.min.js",
        "three.r150.min.js", "lodash.4.17.21.js", "html5shiv-3.7.3.js", "normalize-8.0.1.css", "vue@3.2.47.js",
        "react-dom.production.min.js", "fontawesome-webfont.woff2", "fa-solid-900.woff2", "all.min.css",
        "MathJax-TeX-AMS.js", "lib-v10rc2b1.js", "lib.v20230101b2c.js", "polyfills-es2015.js", "main-es2018modern.js",
        "swiper-bundle8.js", "bootstrap-datepicker3.css", "jquery.mCustomScrollbar3.js", "html2canvas.min.js",
        "dom-html2canvas.js", "vue2leaflet.js", "map-vue2leaflet.js", "lib-base64encode.js", "lib-sha256worker.js",
        "model-resnet50v2.wasm", "app-mp4muxer1.js", "chart.esm2020bundle.js", "app-v1beta1.js",
        /* fonts */
        "roboto-v20-latin-regular.woff2", "KaTeX_Size1-Regular.woff2", "OpenSans-Bold700i.ttf",
        "MaterialIcons-Regular.woff2", "glyphicons-halflings-regular.woff", "Inter-Regular.var.woff2",
        /* cameras, phones, screens */
        "IMG_20230101.jpg", "IMG-20230101-WA0001.jpg", "PXL_20230101_120000000.jpg", "DSC_0001.JPG", "DSCN1234.jpg",
        "trip-DSCN1234.jpg", "trip-DSCF0001.JPG", "P1000123.JPG", "holiday-P1000123.jpg", "GOPR0123.mp4",
        "Screenshot_20230101-120000.png", "Screenshot-20230101T120000Z.png", "clip-20230101t120000z.mp4",
        "photo-1506744038136.jpg", "VID_20240229_235959.mp4",
        /* sizes */
        "favicon-32x32.png", "apple-touch-icon-180x180.png", "hero-1920x1080.webp", "og-1200x630.png", "logo@2x.png",
        "clip-1080p60fps.mp4", "clip-720p30hz.mp4", "banner.1600x900.jpg",
        /* dates and words of letters up to f */
        "report-20241231.png", "menu-cafe2024.jpg", "menu-2024cafe.jpg", "party-2024dec1.jpg", "party-01DEC2024.jpg",
        "party-1feb2024.jpg", "party-12FEB2024.png", "photo-19991231a1.png", "log-20240101b.png",
        "log-20240101a1b2.png", "face2face.jpg", "team-face2face.jpg",
        "facade99.png", "icon-facebook2.png", "part-decade80.png", "a-deadbeef.png", "defaced.js", "fed-abcdef12.png",
        "photo-12345678.jpg", "photo-1234567a.jpg", "photo-a1234567.jpg", "main.1612345678901.js", "00000000.png",
        /* camel case */
        "index-HomePage.js", "index-DataGrid.js", "index-Section1.js", "index-IconSet2.js", "index-Html5Api.js",
        "index-Web3Auth.js", "index-Rs232ToUsb.js", "index-iPhone15Pro.js", "app.Page1of2.js", "app-MyVideo1.js",
        /* identifiers */
        "avatar-3f9ac2d1-1234-4abc-9def-0123456789ab.jpg", "3f9ac2d1-1234-4abc-9def-0123456789ab.png",
        "3f9ac2d1-photo.jpg", "3f9ac2d1.jpg", "5HJ2KQ7B.js",
        /* too short, and what is in the folder does not count */
        "app.3f9ac2d.js", "app.a1.js", "/3f9ac2d1b2c3d4e5f6a7/app.js", "/app.3f9ac2d1/main.js",
        /* words with dashes */
        "my-app-v2-main.js", "a-b2-small.js", "foo-a1-b2-c3.js", "x.-._-.js", "doc-AB-C2_D3.js",
        /* no assets */
        "page.3f9ac2d1.html", "report-3f9ac2d1.pdf", "data.3f9ac2d1.json", "backup-3f9ac2d1.zip", "app-3f9ac2d1",
        "index.html", "robots.txt", "sw.js", "manifest.webmanifest", "feed.xml",
        /* hardly names */
        "", "/", ".", ".js", "..js", "-.js", "a.", "/.js", "........js", "--------.js", "-12345678.js",
        NULL
    };
    (void)state;
    check(names, false);
}

static void test_sizes_at_their_edges(void **state)
{
    char name[160] = "a-";
    (void)state;
    for (unsigned i = 2; i < 130; i++)
        name[i] = "1a2b3c4d"[i % 8];
    strcpy(name + 130, ".js");
    assert_true(hashed(name)); /* 128 */
    strcpy(name + 130, "1.js");
    assert_false(hashed(name));
    assert_true(hashed("0a1b2c3d4e5f6a7b.js")); /* 16 in front */
    assert_false(hashed("0a1b2c3d4e5f6a7.js"));
    assert_true(hashed("a.0a1b2c3d.js")); /* 8 elsewhere */
    assert_false(hashed("a.0a1b2c3.js"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_with_a_hash),
        cmocka_unit_test(test_ordinary_names),
        cmocka_unit_test(test_sizes_at_their_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
