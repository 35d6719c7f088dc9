#!/usr/bin/env python3
"""Pictures reach a model as Pillow would prepare them; bad ones are refused or left out.

usage: tests/runtime/media/extract_test.py BUILD_DIR

Needs Pillow, h5py and numpy; says so and is skipped without them.
"""
import os
import signal
import subprocess
import sys
import tempfile

try:
    import h5py
    import numpy
    from PIL import Image, PngImagePlugin
except ImportError as fault:
    print(f"skipped: needs python3-pil, python3-h5py and python3-numpy ({fault})")
    sys.exit(77)

from extraction import SIDE, VLRUN, compile_plan, run


def photo(generator, width, height):
    """Soft shapes, edges and noise."""
    coarse = generator.integers(0, 256, (max(2, height // 20), max(2, width // 20), 3),
                                dtype=numpy.uint8)
    soft = numpy.asarray(Image.fromarray(coarse).resize((width, height), Image.BICUBIC))
    noisy = soft + generator.integers(-12, 13, soft.shape)
    noisy[height // 3:height // 2, width // 4:] = (255, 0, 40)
    return Image.fromarray(numpy.clip(noisy, 0, 255).astype(numpy.uint8))


def write_images(directory):
    generator = numpy.random.default_rng(5)
    os.mkdir(directory)
    sizes = [(640, 480), (333, 500), (24, 24), (10, 13), (1, 1), (1, 300), (500, 2)]
    for width, height in sizes:
        photo(generator, width, height).save(f"{directory}/{width} x {height}.jpg", quality=92)
    picture = photo(generator, 301, 201)
    picture.save(f"{directory}/progressive.JPEG", progressive=True)
    picture.convert("L").save(f"{directory}/grey.jpg")
    picture.convert("CMYK").save(f"{directory}/inks.jpg")
    picture.save(f"{directory}/coarse.jpg", quality=30, subsampling=2)
    for mode in ("RGB", "RGBA", "L", "LA", "P", "1"):
        picture.convert(mode).save(f"{directory}/mode_{mode}.png")
    picture.convert("P").save(f"{directory}/holes.png", transparency=3)
    gamma = PngImagePlugin.PngInfo()
    gamma.add(b"gAMA", (100000).to_bytes(4, "big"))
    picture.save(f"{directory}/gamma.png", pnginfo=gamma)
    turned = Image.Exif()
    turned[0x0112] = 6
    picture.save(f"{directory}/turned.jpg", exif=turned)
    picture.save(f"{directory}/na\u00efve 'name'.png")
    with open(f"{directory}/notes.txt", "w", encoding="utf-8") as file:
        file.write("no picture")


def features(path, stem):
    with h5py.File(path, "r") as file:
        rows = file[stem]["features"]
        assert rows.dtype == numpy.float16, rows.dtype
        return numpy.asarray(rows, dtype=numpy.float32)


def check_images(plan, images, out):
    names = [name for name in os.listdir(images) if not name.endswith(".txt")]
    heard = run(plan, "--images", images, "--out", out,
                says=f"{len(names)} of {len(names)} files written")
    assert "1 other files were ignored" in heard, heard
    worst = 0
    for name in names:
        stem = os.path.splitext(name)[0]
        found = features(f"{out}/{stem}.h5", stem)
        with Image.open(f"{images}/{name}") as picture:
            wanted = picture.convert("RGB").resize((SIDE, SIDE), Image.BICUBIC)
        difference = numpy.abs(found * 255 - numpy.asarray(wanted).reshape(-1, 3)).max()
        if difference > 1.1:  # a level, and the rounding to half precision
            sys.exit(f"{name}: off by {difference} levels")
        worst = max(worst, difference)
    print(f"{len(names)} pictures: at most {worst:.2f} levels from Pillow's")


def check_deep(plan, scratch):
    """Of 16 bits the upper eight count, which Pillow does otherwise."""
    levels = numpy.random.default_rng(7).integers(0, 1 << 16, (SIDE, SIDE), dtype=numpy.uint16)
    Image.fromarray(levels).save(f"{scratch}/deep.png")
    run(plan, "--images", f"{scratch}/deep.png", "--out", f"{scratch}/deep_out", says="1 of 1")
    found = features(f"{scratch}/deep_out/deep.h5", "deep")
    difference = numpy.abs(found * 255 - (levels >> 8).reshape(-1, 1)).max()
    assert difference < 0.1, difference


def check_going_on(plan, images, out):
    heard = run(plan, "--images", images, "--out", out, says="0 of 0 files written")
    assert "were there already" in heard, heard
    os.remove(f"{out}/grey.h5")
    before = os.stat(f"{out}/inks.h5").st_mtime_ns
    run(plan, "--images", images, "--out", out, says="1 of 1 files written")
    assert os.stat(f"{out}/inks.h5").st_mtime_ns == before, "a finished file was touched"
    run(plan, "--images", f"{images}/grey.jpg", "--out", out, "--overwrite",
        says="1 of 1 files written")
    assert os.stat(f"{out}/inks.h5").st_mtime_ns == before, "a finished file was touched"


def damaged(images, directory):
    """Files that cannot be read, between one that can and another."""
    os.mkdir(directory)
    with open(f"{images}/640 x 480.jpg", "rb") as file:
        jpeg = file.read()
    with open(f"{images}/mode_RGB.png", "rb") as file:
        png = file.read()
    contents = {"a_good.jpg": jpeg, "cut.jpg": jpeg[:len(jpeg) // 2], "cut.png": png[:-300],
                "early.png": png[:20], "empty.jpg": b"", "start.jpg": jpeg[:2],
                "text.png": b"no picture", "z_good.png": png}
    for name, content in contents.items():
        with open(f"{directory}/{name.replace('cut.png', 'cut2.png')}", "wb") as file:
            file.write(content)
    return len(contents)


def check_damage(plan, images, scratch):
    bad, out = f"{scratch}/bad", f"{scratch}/bad_out"
    count = damaged(images, bad)
    run(plan, "--images", bad, "--out", out, code=1, says="cut.jpg: error: damaged JPEG")
    heard = run(plan, "--images", bad, "--out", out, "--skip-bad", says=f"{count - 2} could not")
    for name in ("cut2.png", "early.png", "empty.jpg", "start.jpg"):
        assert name in heard, heard
    assert sorted(os.listdir(out)) == ["a_good.h5", "z_good.h5"], os.listdir(out)
    run(plan, "--images", f"{scratch}/missing", "--out", out, code=1, says="cannot open")
    os.mkdir(f"{scratch}/nothing")
    run(plan, "--images", f"{scratch}/nothing", "--out", out, code=1, says="has no files")
    os.link(f"{bad}/a_good.jpg", f"{scratch}/nothing/a.jpg")
    os.link(f"{bad}/z_good.png", f"{scratch}/nothing/a.png")
    run(plan, "--images", f"{scratch}/nothing", "--out", out, code=1, says="has the same result")


def reader_of(path):
    """The process that reads the file, once there is one."""
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline", "rb") as file:
                is_reader = b"--serve-files" in file.read()
            links = os.listdir(f"/proc/{number}/fd") if is_reader else []
            if path in [os.readlink(f"/proc/{number}/fd/{link}") for link in links]:
                return int(number)
        except OSError:
            pass  # it has ended
    return None


def check_crash(plan, images, scratch):
    """A decoder that crashes costs the file that it reads, and no other."""
    crash, out = f"{scratch}/crash", f"{scratch}/crash_out"
    os.mkdir(crash)
    os.link(f"{images}/grey.jpg", f"{crash}/a.jpg")
    os.link(f"{images}/mode_RGB.png", f"{crash}/c.png")
    slow = os.path.realpath(f"{crash}/b.png")
    Image.new("1", (11000, 11000)).save(slow)
    with subprocess.Popen([VLRUN, "extract", plan, "--images", crash, "--out", out, "--skip-bad"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        reader = None
        while reader is None and process.poll() is None:
            reader = reader_of(slow)
        assert reader, "the file was not read in a process of its own"
        os.kill(reader, signal.SIGSEGV)
        heard = process.communicate(timeout=300)[0]
    assert process.returncode == 0, (process.returncode, heard)
    assert "b.png: error: " in heard and "1 could not be read" in heard, heard
    assert sorted(os.listdir(out)) == ["a.h5", "c.h5"], os.listdir(out)


def write_clip(path, levels, rate=10):
    """Grey frames in YUV4MPEG2, `rate` a second."""
    width = height = 32
    with open(path, "wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{rate}:1 Ip C444\n".encode())
        for level in levels:
            file.write(b"FRAME\n" + bytes([level]) * (width * height)
                       + bytes([128]) * (2 * width * height))


def check_videos(plan, pixels_plan, scratch):
    clips, out = f"{scratch}/clips", f"{scratch}/clips_out"
    os.mkdir(clips)
    levels = [16 + 4 * i for i in range(50)]  # 5 s
    write_clip(f"{clips}/five seconds.mkv", levels)
    write_clip(f"{clips}/one.mp4", [16, 235])
    run(plan, "--video", clips, "--out", out, says="2 of 2 files written")
    rows = numpy.load(f"{out}/five seconds.npz")["features"]
    assert rows.dtype == numpy.float32 and rows.shape == (3, 3), (rows.dtype, rows.shape)
    for row, at in zip(rows, (7, 22, 37)):  # the last before 0.75, 2.25 and 3.75 s
        wanted = (levels[at] - 16) * 255 / 219
        assert numpy.abs(row * 255 - wanted).max() <= 1, (row * 255, wanted)
    rows = numpy.load(f"{out}/one.npz")["features"]  # shorter than half an interval
    assert rows.shape == (1, 3) and rows.min() == 1, rows
    run(plan, "--video", f"{clips}/five seconds.mkv", "--out", f"{scratch}/slow",
        "--interval", "0.35", says="1 of 1")
    rows = numpy.load(f"{scratch}/slow/five seconds.npz")["features"]
    # Picture n is nearest to row round(n * 0.1 / 0.35), up at a half; the last 5 s at 5 / 0.35.
    last = [max(n for n in range(50) if (4 * n + 7) // 14 <= i) for i in range(14)]
    wanted = numpy.array([(levels[n] - 16) * 255 / 219 for n in last])
    assert len(rows) == 14 and numpy.abs(rows[:, 0] * 255 - wanted).max() <= 1, (rows, wanted)
    with open(f"{clips}/zero.mp4", "wb"):
        pass
    run(plan, "--video", clips, "--out", f"{scratch}/v", code=1, says="zero.mp4: error")
    run(plan, "--video", clips, "--out", f"{scratch}/w", "--skip-bad", says="1 could not be read")
    run(pixels_plan, "--video", clips, "--out", f"{scratch}/x", code=1, says="rows of each frame")


def check_range(images, scratch):
    """Half precision ends at 65504, with what rounds to it."""
    picture, out = f"{scratch}/white.png", f"{scratch}/range"
    Image.new("RGB", (SIDE, SIDE), (255, 255, 255)).save(picture)
    for name, std in (("most", 1 / 65504), ("rounds", 1 / 65519), ("large", 1 / 65521)):
        plan = f"{scratch}/{name}.bin"
        compile_plan("pixels.vg", plan, f"std={std:.9f}")
        if name != "large":
            run(plan, "--images", picture, "--out", out, "--overwrite")
            rows = features(f"{out}/white.h5", "white")
            assert numpy.isfinite(rows).all() and rows.max() > 65000, rows.max()
    os.remove(f"{out}/white.h5")
    run(plan, "--images", picture, "--out", out, code=3,
        says="features of 'white' do not fit half precision")
    assert not os.listdir(out), os.listdir(out)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["XDG_CACHE_HOME"] = f"{scratch}/cache"
        plan, mean, images = f"{scratch}/pixels.bin", f"{scratch}/mean.bin", f"{scratch}/images"
        compile_plan("pixels.vg", plan)
        compile_plan("mean.vg", mean)
        write_images(images)
        check_images(plan, images, f"{scratch}/out")
        check_going_on(plan, images, f"{scratch}/out")
        check_deep(plan, scratch)
        check_damage(plan, images, scratch)
        check_crash(plan, images, scratch)
        check_videos(mean, plan, scratch)
        compile_plan("pixels.vg", f"{scratch}/zero.bin", "std=0")
        run(f"{scratch}/zero.bin", "--images", images, "--out", f"{scratch}/y", code=1,
            says="'std' has a zero")
        check_range(images, scratch)
        run(plan, "--images", images, "--out", f"{scratch}/y", "--video", images, code=2,
            says="either --images or --video")
        run(plan, "--video", images, "--out", f"{scratch}/y", "--interval", "no", code=2,
            says="expected a number above 0")
        run(plan, "--video", images, "--out", f"{scratch}/y", "--interval", "1e9", code=2,
            says="takes seconds")


if __name__ == "__main__":
    main()
