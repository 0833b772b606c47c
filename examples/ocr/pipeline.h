// SPDX-License-Identifier: Apache-2.0
// Picture to text with the three networks of PP-OCRv4: find lines, turn those that stand on their head, read them.
// The one thing not to get wrong: lines are read in batches, and neighbours in a batch decide how wide it is padded,
// which changes scores slightly; so the batching is part of the result.
#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "canvas.h"
#include "ctc.h"
#include "net.h"
#include "times.h"

namespace ocr {

struct Line {
  Quad box;  // in pixels of the picture
  Text text;
};

class Pipeline {
 public:
  // detector: [1, 3, h, w] -> [1, 1, h, w]. classifier: [n, 3, 48, 192] -> [n, 2], probabilities of 0 and 180 degrees.
  // recogniser: [n, 3, 48, w] -> [n, steps, classes]. They must outlive the pipeline.
  Pipeline(Net& detector, Net& classifier, Net& recogniser, Alphabet alphabet);

  // `bgr`: CV_8UC3. Lines in reading order; those with a score under 0.5 are left out.
  std::vector<Line> read(const cv::Mat& bgr, Times& times);

 private:
  std::vector<Quad> detect(const cv::Mat& bgr, Times& times);
  void turn_upright(std::vector<cv::Mat>& lines, Times& times);
  std::vector<Text> recognise(const std::vector<cv::Mat>& lines, Times& times);

  Net& detector_;
  Net& classifier_;
  Net& recogniser_;
  Alphabet alphabet_;
};

}  // namespace ocr
