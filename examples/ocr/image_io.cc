// SPDX-License-Identifier: Apache-2.0
// libpng's simplified interface. The one thing not to get wrong: png_image_free after a failed step.
#include "image_io.h"

#include <png.h>

#include <cstdio>
#include <stdexcept>

namespace ocr {

namespace {

[[noreturn]] void fail(const char* verb, const std::string& path, png_image& image) {
  std::string reason = image.message;
  png_image_free(&image);
  throw std::runtime_error(std::string("cannot ") + verb + " \"" + path + "\": " + reason);
}

}  // namespace

cv::Mat read_png(const std::string& path) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_file(&image, path.c_str())) fail("read", path, image);
  image.format = PNG_FORMAT_BGR;
  cv::Mat pixels(static_cast<int>(image.height), static_cast<int>(image.width), CV_8UC3, cv::Scalar::all(255));
  // Without a background colour libpng composes onto what the buffer holds.
  if (!png_image_finish_read(&image, nullptr, pixels.data, static_cast<png_int_32>(pixels.step[0]), nullptr))
    fail("read", path, image);
  return pixels;
}

void write_png(const std::string& path, const cv::Mat& bgr) {
  CV_Assert(bgr.type() == CV_8UC3);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(bgr.cols);
  image.height = static_cast<png_uint_32>(bgr.rows);
  image.format = PNG_FORMAT_BGR;
  if (!png_image_write_to_file(&image, path.c_str(), 0, bgr.data, static_cast<png_int_32>(bgr.step[0]), nullptr)) {
    std::remove(path.c_str());
    fail("write", path, image);
  }
}

}  // namespace ocr
