/* Resampling against the formula in double precision; files that are no pictures. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ir/base/files.h"
#include "runtime/media/picture.h"
#include "tests/check.h"

static Picture random_picture(int32_t width, int32_t height)
{
    Picture out = {malloc((size_t)(3 * width * height)), width, height};
    uint32_t state = (uint32_t)(width * 1000 + height);
    for (int32_t i = 0; i < 3 * width * height; i++) {
        state = state * 1664525U + 1013904223U;
        out.rgb[i] = (uint8_t)(state >> 24);
    }
    return out;
}

static double cubic(double x)
{
    x = fabs(x);
    return x < 1   ? 1.5 * x * x * x - 2.5 * x * x + 1
           : x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2
                   : 0;
}

/* Place `at` of a line of `from` numbers made `to` long. */
static double sample(const double *line, int32_t from, int32_t to, int32_t at)
{
    double scale = (double)from / to, stretch = scale > 1 ? scale : 1, sum = 0, total = 0;
    for (int32_t i = 0; i < from; i++) {
        double weight = cubic((i + 0.5 - (at + 0.5) * scale) / stretch);
        sum += weight * line[i];
        total += weight;
    }
    return fmin(fmax(sum / total, 0), 255);
}

/* Rows first, rounded, then columns. */
static double expected(const Picture *in, int32_t width, int32_t height, int32_t x,
                       int32_t y, int c)
{
    double column[64], row[64];
    for (int32_t j = 0; j < in->height; j++) {
        for (int32_t i = 0; i < in->width; i++)
            row[i] = in->rgb[3 * (j * in->width + i) + c];
        column[j] = floor(sample(row, in->width, width, x) + 0.5);
    }
    return sample(column, in->height, height, y);
}

static void check_resize(Check *check, int32_t from_width, int32_t from_height,
                         int32_t width, int32_t height)
{
    Picture in = random_picture(from_width, from_height), out;
    picture_resize(&in, width, height, &out);
    double worst = 0;
    for (int32_t y = 0; y < height; y++)
        for (int32_t x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                worst = fmax(worst, fabs(out.rgb[3 * (y * width + x) + c] -
                                         expected(&in, width, height, x, y, c)));
    CHECK(check, out.width == width && out.height == height, "the size");
    /* Half a level of rounding, and of the rows' where they were at a tie. */
    CHECK(check, worst <= 1, "%dx%d to %dx%d: off by %.3f levels", from_width,
          from_height, width, height, worst);
    picture_free(&in);
    picture_free(&out);
}

static void check_same(Check *check)
{
    Picture in = random_picture(17, 9), out;
    picture_resize(&in, 17, 9, &out);
    CHECK(check, memcmp(in.rgb, out.rgb, 3 * 17 * 9) == 0, "the same size, other bytes");
    picture_free(&in);
    picture_free(&out);
}

/* The middle of the resized picture. */
static void check_crop(Check *check, int32_t width, int32_t height, int32_t side)
{
    Picture in = random_picture(width, height), whole, out;
    int32_t shorter = width < height ? width : height;
    picture_fit(&in, PICTURE_FIT_crop, side, &out);
    picture_resize(&in, width * side / shorter, height * side / shorter, &whole);
    int32_t left = (whole.width - side) / 2, top = (whole.height - side) / 2;
    bool is_same = out.width == side && out.height == side;
    for (int32_t y = 0; is_same && y < side; y++)
        is_same = memcmp(out.rgb + 3 * y * side,
                         whole.rgb + 3 * ((top + y) * whole.width + left),
                         (size_t)(3 * side)) == 0;
    CHECK(check, is_same, "%dx%d cropped to %d", width, height, side);
    picture_free(&in);
    picture_free(&whole);
    picture_free(&out);
}

/* Pixels 1 2 3 / 4 5 6. */
static void check_turn(Check *check, PictureTurn turn, const char *wanted)
{
    enum { WIDTH = 3, HEIGHT = 2, PIXELS = WIDTH * HEIGHT };
    Picture picture = {malloc(3 * PIXELS), WIDTH, HEIGHT};
    for (int i = 0; i < 3 * PIXELS; i++)
        picture.rgb[i] = (uint8_t)('1' + i / 3);
    picture_turn(&picture, turn);
    bool is_right = picture.width == (turn.swap ? HEIGHT : WIDTH) &&
                    picture.height == (turn.swap ? WIDTH : HEIGHT);
    for (int i = 0; i < 3 * PIXELS; i++)
        is_right = is_right && picture.rgb[i] == (uint8_t)wanted[i / 3];
    CHECK(check, is_right, "turned %d %d %d", turn.swap, turn.flip_x, turn.flip_y);
    picture_free(&picture);
}

static void check_refused(Check *check, const void *bytes, size_t count,
                          const char *message)
{
    char path[] = "/tmp/resize_test_XXXXXX";
    int descriptor = mkstemp(path);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
    if (!file)
        exit(1);
    fwrite(bytes, 1, count, file);
    fclose(file);
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    Diags *diags = diags_new(out);
    Picture picture;
    int opened = file_open(path, diags);
    CHECK(check, !picture_read(path, opened, &picture, diags) && !picture.rgb, "'%s'",
          message);
    close(opened);
    CHECK(check, diags_error_count(diags) == 1, "one error");
    diags_free(diags);
    fclose(out);
    CHECK(check, strstr(text, path) && strstr(text, message), "wanted '%s', heard: %s",
          message, text);
    free(text);
    remove(path);
}

int main(void)
{
    static const uint8_t huge_png[] =
        "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x7f\xff\xff\xff\x7f\xff"
        "\xff\xff\x08\x02\0\0\0\0\0\0\0";
    Check check = {0};
    check_same(&check);
    check_resize(&check, 40, 30, 24, 24);
    check_resize(&check, 7, 61, 24, 24);
    check_resize(&check, 1, 1, 5, 3);
    check_resize(&check, 2, 3, 1, 1);
    check_resize(&check, 64, 1, 3, 9);
    check_crop(&check, 40, 30, 24);
    check_crop(&check, 17, 60, 24);
    check_crop(&check, 1, 50, 3);
    check_crop(&check, 50, 50, 7);
    check_turn(&check, (PictureTurn){0}, "123456");
    check_turn(&check, (PictureTurn){.flip_x = true}, "321654");
    check_turn(&check, (PictureTurn){.flip_y = true}, "456123");
    check_turn(&check, (PictureTurn){.flip_x = true, .flip_y = true}, "654321");
    check_turn(&check, (PictureTurn){.swap = true}, "142536");
    check_turn(&check, (PictureTurn){.swap = true, .flip_x = true}, "415263");
    check_turn(&check, (PictureTurn){.swap = true, .flip_y = true}, "362514");
    check_refused(&check, "", 0, "it is empty");
    check_refused(&check, "hello", 5, "neither a JPEG nor a PNG");
    check_refused(&check, "\xff\xd8\xff", 3, "damaged JPEG");
    check_refused(&check, "\xff\xd8garbage", 9, "damaged JPEG");
    check_refused(&check, huge_png, 8, "the file ends early");
    check_refused(&check, huge_png, sizeof huge_png - 1, "damaged PNG");
    return check_finish(&check);
}
