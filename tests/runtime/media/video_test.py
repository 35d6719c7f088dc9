#!/usr/bin/env python3
"""Videos are shown as ffmpeg's program shows them, at the times that its filter fps picks;
whole ones are read, cut ones are not, and nothing but the file itself is.

usage: tests/runtime/media/video_test.py BUILD_DIR

Needs Pillow and numpy, else it is skipped; with ffmpeg's program it tries more encodings.
"""
import io
import os
import resource
import shutil
import subprocess
import sys
import tempfile

try:
    import numpy
    from PIL import Image
except ImportError as fault:
    print(f"skipped: needs python3-pil and python3-numpy ({fault})")
    sys.exit(77)

from extraction import HERE, SIDE, compile_plan, run

VIDEOS = os.path.join(HERE, "videos")


def pictures(path):
    return numpy.load(path)["features"].reshape(-1, SIDE, SIDE, 3) * 255


def seen(plan, path, scratch, *options):
    """What a model gets of a video: (rows, side, side, 3), in levels."""
    stem = os.path.splitext(os.path.basename(path))[0]
    run(plan, "--video", path, "--out", f"{scratch}/out", "--overwrite", *options, says="1 of 1")
    return pictures(f"{scratch}/out/{stem}.npz")


def refused(plan, path, scratch, says):
    heard = run(plan, "--video", path, "--out", f"{scratch}/refused", code=1, says=says)
    assert f"{path}: error" in heard, heard
    assert not os.listdir(f"{scratch}/refused"), os.listdir(f"{scratch}/refused")


def patches():
    """The picture that the small files show; middles of its patches only, so that a
    stored colour of half resolution does not count."""
    with Image.open(f"{VIDEOS}/patches.png") as picture:
        return numpy.asarray(picture.convert("RGB").resize((SIDE, SIDE), Image.BICUBIC), float)


def middles(picture):
    at = numpy.arange(SIDE // 4) * 4 + 2
    return picture[numpy.ix_(at, at)]


def check_patches(rows, count, wanted, name):
    assert len(rows) == count, (name, len(rows))
    for row in rows:
        difference = numpy.abs(middles(row) - middles(wanted)).max()
        assert difference <= 4, (name, difference)


def check_shown(plan, scratch):
    picture = patches()
    for name in ("c709", "full709", "sound_longer", "starts_late"):
        check_patches(seen(plan, f"{VIDEOS}/{name}.mp4", scratch), 2, picture, name)
    for degrees in (90, 180, 270):  # against the clock
        rows = seen(plan, f"{VIDEOS}/turned{degrees}.mp4", scratch)
        check_patches(rows, 2, numpy.rot90(picture, degrees // 90), degrees)
    refused(plan, f"{VIDEOS}/turned45.mp4", scratch, "turned by 45.0 degrees")
    with open(f"{VIDEOS}/turned180.mp4", "rb") as file:
        content = file.read()
    one, zero, minus = (number.to_bytes(4, "big", signed=True) for number in (65536, 0, -65536))
    turned = minus + 3 * zero + minus
    assert content.count(turned) == 1
    for name, matrix, wanted in (("mirrored", minus + 3 * zero + one, picture[:, ::-1]),
                                 ("upside down", one + 3 * zero + minus, picture[::-1]),
                                 ("transposed", zero + one + zero + one + zero,
                                  picture.transpose(1, 0, 2))):
        with open(f"{scratch}/{name}.mp4", "wb") as file:
            file.write(content.replace(turned, matrix))
        check_patches(seen(plan, f"{scratch}/{name}.mp4", scratch), 2, wanted, name)


def check_times(plan, scratch):
    # Picture n of ten a second has the brightness 16 + 2 n.
    rows = seen(plan, f"{VIDEOS}/timecode.mp4", scratch)
    every = seen(plan, f"{VIDEOS}/timecode.mp4", scratch, "--interval", "0.1")
    assert len(every) == 90, len(every)
    assert numpy.array_equal(rows, every[[7, 22, 37, 52, 67, 82]])
    assert len(numpy.unique(every.mean((1, 2, 3)))) == 90
    rows = seen(plan, f"{VIDEOS}/slides.mp4", scratch)  # three, of 8 s each
    assert len(rows) == 16, len(rows)


def check_limits(plan, scratch):
    refused(plan, f"{VIDEOS}/time_gap.avi", scratch, "time stamps reach to")
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert most < 2 << 20, f"{most} KiB"
    clip = f"{VIDEOS}/c709.mp4"
    lists = {"hls": "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n" + clip + "\n#EXT-X-ENDLIST\n",
             "concat": f"ffconcat version 1.0\nfile {clip}\n",
             "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
                    "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"}
    for kind, content in lists.items():
        with open(f"{scratch}/{kind}.mp4", "w", encoding="utf-8") as file:
            file.write(content)
        refused(plan, f"{scratch}/{kind}.mp4", scratch, f"is '{kind}'")
    shutil.copy(f"{VIDEOS}/patches.png", f"{scratch}/picture.mp4")
    refused(plan, f"{scratch}/picture.mp4", scratch, "is 'png_pipe'")
    os.mkfifo(f"{scratch}/pipe.mp4")
    refused(plan, f"{scratch}/pipe.mp4", scratch, "not a regular file")


def check_skips(plan, scratch):
    """A fault after pictures were handed out leaves nothing behind, and no row in others."""
    mixed, out = f"{scratch}/mixed", f"{scratch}/mixed_out"
    os.mkdir(mixed)
    for name, file in (("a", "timecode.mp4"), ("c", "slides.mp4")):
        shutil.copy(f"{VIDEOS}/{file}", f"{mixed}/{name}.mp4")
    shutil.copy(f"{VIDEOS}/time_gap.avi", f"{mixed}/b.avi")
    run(plan, "--video", mixed, "--out", out, "--skip-bad", says="2 of 3 files written")
    assert sorted(os.listdir(out)) == ["a.npz", "c.npz"], os.listdir(out)
    counts = [len(numpy.load(f"{out}/{name}.npz")["features"]) for name in "ac"]
    assert counts == [6, 16], counts


# -- against ffmpeg's program --------------------------------------------------------

SOURCE = ("-f", "lavfi", "-i", "testsrc2=s=96x56:r=10:d=5")
H264 = ("-c:v", "libx264", "-pix_fmt")
ENCODINGS = {
    "h264.mp4": (*H264, "yuv420p"), "halves.mkv": (*H264, "yuv422p"),
    "ten.mp4": (*H264, "yuv420p10le"), "grey.mp4": (*H264, "gray"),
    "full.mp4": ("-vf", "scale=out_range=full", "-color_range", "pc", *H264, "yuv420p"),
    "bt2020.mp4": ("-vf", "scale=out_color_matrix=bt2020", "-colorspace", "bt2020nc",
                   *H264, "yuv420p10le"),
    "odd.mp4": ("-vf", "scale=95:53", *H264, "yuv444p"),
    "oblong.mp4": ("-vf", "setsar=4/3", *H264, "yuv420p"),
    "interlaced.mp4": ("-vf", "tinterlace=interleave_top", "-flags", "+ilme+ildct",
                       *H264, "yuv420p"),
    "fragments.mp4": ("-g", "10", "-movflags", "frag_keyframe+empty_moov", *H264, "yuv420p"),
    "edited.mp4": ("-bf", "2", "-ss", "1.3", *H264, "yuv420p"),
    "irregular.mkv": ("-vf", "select='not(mod(n,7))+lt(n,9)'", "-vsync", "vfr", *H264, "yuv420p"),
    "uneven.mp4": ("-vf", "select='not(mod(n,7))+lt(n,9)'", "-vsync", "vfr", *H264, "yuv420p"),
    "slow.flv": ("-vf", "fps=1/2", "-r", "1/2", *H264, "yuv420p"),
    "broadcast.ts": (*H264, "yuv420p"),
    "mpeg4.avi": ("-c:v", "mpeg4", "-bf", "2"), "mpeg2.mpg": ("-c:v", "mpeg2video", "-r", "25"),
    "mjpeg.avi": ("-c:v", "mjpeg", "-pix_fmt", "yuvj422p"), 
    "vp8.webm": ("-c:v", "libvpx", "-deadline", "realtime"),
    "alpha.mov": ("-vf", "format=yuva420p", "-c:v", "qtrle", "-pix_fmt", "argb"),
    "palette.avi": ("-c:v", "rawvideo", "-pix_fmt", "pal8"), "deep.mov": ("-c:v", "png",
                                                                        "-pix_fmt", "rgb48be"),
    "noisy.avi": ("-f", "lavfi", "-i", "sine=d=12", "-c:v", "mpeg4"),
    "sound.mkv": ("-f", "lavfi", "-i", "sine=d=12", *H264, "yuv420p"),
    "late.mkv": ("-output_ts_offset", "5", *H264, "yuv420p"),
    "short.mp4": ("-t", "1", *H264, "yuv420p"), "brief.mp4": ("-t", "0.3", *H264, "yuv420p"),
}
# Of these a cut may fall between two packets, which nothing tells, or into sound or an index.
UNCUT = ("noisy.avi", "sound.mkv", "broadcast.ts", "mpeg4.avi")


def program(*arguments):
    return subprocess.run(["ffmpeg", "-v", "error", "-y", "-threads", "1", *arguments],
                          stdout=subprocess.PIPE, check=True).stdout


def wanted_pictures(path, rate):
    """As ffmpeg's program has them, resized and cropped by Pillow."""
    still = program("-i", path, "-frames:v", "1", "-f", "image2pipe", "-c:v", "png", "-")
    width, height = Image.open(io.BytesIO(still)).size
    raw = program("-i", path, "-vf", f"fps={rate}", "-f", "rawvideo", "-pix_fmt", "rgb24",
                  "-sws_flags", "bicubic+accurate_rnd+full_chroma_int+bitexact", "-")
    frames = numpy.frombuffer(raw, numpy.uint8).reshape(-1, height, width, 3)
    short = min(width, height)
    size = (width * SIDE // short, height * SIDE // short)
    left, top = (size[0] - SIDE) // 2, (size[1] - SIDE) // 2
    box = (left, top, left + SIDE, top + SIDE)
    return numpy.array([numpy.asarray(Image.fromarray(frame).resize(size, Image.BICUBIC).crop(box))
                        for frame in frames], float)


def encode(name, arguments, path):
    """False if this ffmpeg cannot."""
    try:
        program(*SOURCE, *arguments, path)
        return True
    except subprocess.CalledProcessError:
        print(f"{name}: cannot be made here")
        return False


def write_cut(path, directory):
    with open(path, "rb") as file:
        content = file.read()
    stem, ending = os.path.splitext(os.path.basename(path))
    for per_cent in (50, 90):
        with open(f"{directory}/{stem}_{per_cent}_{ending[1:]}{ending}", "wb") as file:
            file.write(content[:len(content) * per_cent // 100])


def check_middle(plan, scratch):
    """Taken from the midst of a video: its first pictures need some that are not there."""
    whole, part = f"{scratch}/open.mp4", f"{scratch}/middle.mp4"
    if not encode("open.mp4", ("-x264opts", "open-gop=1:keyint=10:bframes=3", *H264, "yuv420p"),
                  whole):
        return
    program("-ss", "1.5", "-i", whole, "-c", "copy", part)
    wanted = wanted_pictures(part, "2/3")
    rows = seen(plan, part, scratch)
    assert len(rows) == len(wanted) > 0, (len(rows), len(wanted))
    assert numpy.abs(rows - wanted).max() <= 1, numpy.abs(rows - wanted).max()


def check_encodings(plan, scratch):
    whole, cut, out = f"{scratch}/whole", f"{scratch}/cut", f"{scratch}/whole_out"
    os.mkdir(whole)
    os.mkdir(cut)
    tried = [name for name, arguments in ENCODINGS.items()
             if encode(name, arguments, f"{whole}/{name}")]
    run(plan, "--video", whole, "--out", out, says=f"{len(tried)} of {len(tried)} files written")
    for name in tried:
        # Files that are shorter than an interval, and say so, have two pictures a second.
        rate = 2 if name in ("short.mp4", "brief.mp4") else "2/3"
        wanted = wanted_pictures(f"{whole}/{name}", rate)
        rows = pictures(f"{out}/{os.path.splitext(name)[0]}.npz")
        assert len(rows) == len(wanted) > 0, (name, len(rows), len(wanted))
        difference = numpy.abs(rows - wanted).max()
        assert difference <= 1, (name, difference)
        if name not in UNCUT:
            write_cut(f"{whole}/{name}", cut)
    count = len(os.listdir(cut))
    run(plan, "--video", cut, "--out", f"{scratch}/cut_out", "--skip-bad",
        says="0 of ")
    assert not os.listdir(f"{scratch}/cut_out"), os.listdir(f"{scratch}/cut_out")
    print(f"{len(tried)} encodings are as ffmpeg's program shows them, {count} cut files are refused")


def main():
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["XDG_CACHE_HOME"] = f"{scratch}/cache"
        plan = f"{scratch}/frame.bin"
        compile_plan("frame.vg", plan)
        check_shown(plan, scratch)
        check_times(plan, scratch)
        check_limits(plan, scratch)
        check_skips(plan, scratch)
        if shutil.which("ffmpeg"):
            check_encodings(plan, scratch)
            check_middle(plan, scratch)
        else:
            print("ffmpeg's program is not there: no encodings were compared with it")


if __name__ == "__main__":
    main()
