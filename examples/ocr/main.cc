// SPDX-License-Identifier: Apache-2.0
// narae_ocr: compiles the three networks of PP-OCRv4 for this machine and reads the text in a PNG picture.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "draw.h"
#include "image_io.h"
#include "narae_net.h"
#include "pipeline.h"
#include "progress_bar.h"
#include "report.h"

namespace {

constexpr const char* usage =
    R"(narae_ocr [options] PICTURE.png OUT.png    reads the text in a picture and draws it into another
  --models DIR     folder with the three PP-OCRv4 networks (.cache/models/ppocr)
  --threads N      cores to use; 0 = all (0)
  --opt N          0-2 choose kernels by the cost model, 3-5 measure (2)
  --cache-dir DIR  keeps measured times between calls (none)
  --repeat N       read the picture N more times for the table of times (0)
  --tsv FILE       texts and times for scripts
)";

struct Options {
  std::string picture, out, models = ".cache/models/ppocr", tsv, cache_dir;
  int threads = 0, opt_level = 2, repeat = 0;
};

// Ends the program where the command line is not understood.
[[noreturn]] void misused(const std::string& why) {
  std::fprintf(stderr, "narae_ocr: %s\n%s", why.c_str(), usage);
  std::exit(NARAE_USAGE);
}

int whole_number(const std::string& name, const std::string& text) {
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || value < 0 || value > 1000000)
    misused(name + " wants a whole number, not " + text);
  return static_cast<int>(value);
}

Options parsed(int argc, char** argv) {
  Options options;
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--help" || name == "-h") {
      std::fputs(usage, stdout);
      std::exit(0);
    }
    if (!name.starts_with("--")) {
      paths.push_back(name);
      continue;
    }
    if (++i == argc) misused(name + " wants a value");
    const std::string value = argv[i];
    if (name == "--models")
      options.models = value;
    else if (name == "--tsv")
      options.tsv = value;
    else if (name == "--cache-dir")
      options.cache_dir = value;
    else if (name == "--threads")
      options.threads = whole_number(name, value);
    else if (name == "--opt")
      options.opt_level = whole_number(name, value);
    else if (name == "--repeat")
      options.repeat = whole_number(name, value);
    else
      misused("unknown option " + name);
  }
  if (paths.size() != 2) misused("one picture to read and one to write, please");
  options.picture = paths[0];
  options.out = paths[1];
  return options;
}

ocr::NaraeNet compiled(narae::Runtime& runtime, const Options& options, const char* title, const char* file) {
  ocr::ProgressBar bar(title);
  narae::BuildOptions build;
  build.opt_level = options.opt_level;
  build.progress = [&](std::string_view stage, std::int64_t done, std::int64_t total) {
    bar.show(stage, done, total);
    return true;
  };
  ocr::NaraeNet net(runtime, options.models + "/" + file, build);
  const narae_engine_stats stats = net.engine().stats();
  char note[128];
  std::snprintf(note, sizeof note, "ready in %.0f ms, weights %.1f MB", stats.load_ms,
                double(stats.weights_bytes) / 1e6);
  bar.finish(note);
  return net;
}

void read_picture(const Options& options) {
  const cv::Mat picture = ocr::read_png(options.picture);
  narae::RuntimeOptions runtime_options;
  runtime_options.threads = options.threads;
  runtime_options.cache_dir = options.cache_dir;
  narae::Runtime runtime(runtime_options);
  auto detector = compiled(runtime, options, "text detection  ", "ch_PP-OCRv4_det_infer.onnx");
  auto classifier = compiled(runtime, options, "text direction  ", "ch_ppocr_mobile_v2.0_cls_infer.onnx");
  auto recogniser = compiled(runtime, options, "text recognition", "ch_PP-OCRv4_rec_infer.onnx");
  const char* characters = recogniser.engine().metadata("character");
  if (!characters) throw std::runtime_error("the recogniser holds no list of characters (metadata key \"character\")");

  ocr::Pipeline pipeline(detector, classifier, recogniser, ocr::Alphabet(characters));
  std::vector<ocr::Times> readings(static_cast<std::size_t>(options.repeat) + 1);
  const std::vector<ocr::Line> lines = pipeline.read(picture, readings[0]);
  for (std::size_t i = 1; i < readings.size(); ++i) pipeline.read(picture, readings[i]);

  ocr::write_png(options.out, ocr::drawn(picture, lines));
  const std::vector<ocr::CallTime> calls = ocr::summed_up(readings);
  ocr::print_lines(lines);
  ocr::print_times(calls, readings.size());
  if (!options.tsv.empty()) ocr::write_tsv(options.tsv, lines, calls);
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parsed(argc, argv);
  try {
    read_picture(options);
    return 0;
  } catch (const narae::Error& error) {
    std::fprintf(stderr, "narae_ocr: %s\n", error.what());
    return error.status();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "narae_ocr: %s\n", error.what());
    return NARAE_FAILED;
  }
}
