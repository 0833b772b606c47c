// SPDX-License-Identifier: Apache-2.0
// A random encoder compiled with every pass against transformers: its attention runs as one body, from the engine file
// too.
#include <algorithm>
#include <filesystem>
#include <optional>

#include "engine/engine_file.h"
#include "engine/session.h"
#include "import/arch/golden_test.h"
#include "load/load_model.h"
#include "on_device.h"

namespace narae {
namespace {

struct Place {
  const char *device, *isa;
};
void PrintTo(const Place& place, std::ostream* out) { *out << place.device << "/" << place.isa; }

class EncoderOn : public testing::TestWithParam<Place> {
 protected:
  void SetUp() override {
    if (const std::string reason = why_absent(GetParam().device); !reason.empty())
      GTEST_SKIP() << "hardware: " << reason;
    runtime_.emplace(options());
  }
  bool on_gpu() const { return std::string(GetParam().device) == "cuda"; }
  static RuntimeOptions options() {
    RuntimeOptions options;
    options.device = GetParam().device, options.isa = GetParam().isa;
    return options;
  }
  static int attention_bodies(const Engine& engine) {
    int kept = 0;
    for (const BodyDecision& body : engine.lowered().notes.bodies) {
      kept += body.kept && body.kind.find("attention") != std::string::npos;
    }
    return kept;
  }
  double error_of(const std::shared_ptr<Engine>& engine) {
    Session session(engine, runtime_->device());
    return difference(session.run({golden("bert", "ids"), golden("bert", "mask")})[0], golden("bert", "embedding"));
  }
  std::optional<Runtime> runtime_;
};

TEST_P(EncoderOn, EqualsTransformers) {
  for (const char* model : {"bert", "bert.gguf"}) {
    const std::shared_ptr<Engine> engine = load_model(golden_path(model), *runtime_);
    if (!on_gpu()) EXPECT_EQ(attention_bodies(*engine), 2) << model;
    EXPECT_LE(error_of(engine), 1e-5) << model;
  }
}

TEST_P(EncoderOn, EqualsTransformersWithoutThePass) {
  LoadOptions options;
  options.compile.passes.selection = PassSelection::parse("-fuse_attention");
  const std::shared_ptr<Engine> engine = load_model(golden_path("bert"), *runtime_, options);
  EXPECT_EQ(attention_bodies(*engine), 0);
  EXPECT_LE(error_of(engine), 1e-5);
}

TEST_P(EncoderOn, EqualsTransformersFromItsFile) {
  const std::string path = testing::TempDir() + "encoder_" + GetParam().device + GetParam().isa + ".narae";
  save_engine(*load_model(golden_path("bert"), *runtime_), *runtime_->device(), path);
  EXPECT_LE(error_of(load_model(path, *runtime_)), 1e-5);
  std::filesystem::remove(path);
}

INSTANTIATE_TEST_SUITE_P(Places, EncoderOn,
                         testing::Values(Place{"cpu", "auto"}, Place{"cpu", "portable"}, Place{"fake", "auto"},
                                         Place{"cuda", "auto"}));

}  // namespace
}  // namespace narae
