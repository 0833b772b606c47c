// SPDX-License-Identifier: Apache-2.0
// Compiles a model, runs it once on seeded numbers and prints the shapes that come out.
// run_model MODEL [DIMS ..]     DIMS such as 1x3x224x224, one for each input in order; 1 for what stays open
#include <cstdio>
#include <exception>
#include <narae/narae.hpp>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace {

narae::Shape chosen_dims(const narae::ValueInfo& info, const char* text) {
  narae::Shape dims;
  if (!text)
    for (std::int64_t dim : info.dims) dims.push_back(dim < 0 ? 1 : dim);
  else
    for (std::istringstream stream(text); stream.good(); stream.ignore(1, 'x')) stream >> dims.emplace_back();
  return dims;
}

void print(const std::string& name, narae_dtype dtype, std::span<const std::int64_t> shape) {
  std::printf("%s %s [", name.c_str(), narae_dtype_name(dtype));
  for (std::size_t d = 0; d < shape.size(); ++d) std::printf("%s%lld", d ? "," : "", static_cast<long long>(shape[d]));
  std::printf("]\n");
}

// Normal numbers for f32, zero bytes (valid in every dtype) for all else.
std::vector<char> seeded(narae_dtype dtype, std::size_t count, unsigned seed) {
  std::vector<char> bytes(count * narae_dtype_size(dtype));
  if (dtype == NARAE_F32) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal;
    auto* values = reinterpret_cast<float*>(bytes.data());
    for (std::size_t i = 0; i < count; ++i) values[i] = normal(engine);
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "run_model MODEL [DIMS ..]\n");
    return NARAE_USAGE;
  }
  try {
    narae::Runtime runtime;
    const narae::Engine engine = narae::Engine::build(runtime, argv[1]);
    narae::Session session(engine);
    const auto inputs = engine.inputs();
    std::vector<std::vector<char>> data;  // lives until the run is over
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const narae::Shape dims = chosen_dims(inputs[i], i + 2 < static_cast<std::size_t>(argc) ? argv[i + 2] : nullptr);
      data.push_back(seeded(inputs[i].dtype, narae::element_count(dims), 1 + static_cast<unsigned>(i)));
      print(inputs[i].name, inputs[i].dtype, dims);
      session.bind(i, data[i].data(), inputs[i].dtype, dims);
    }
    session.run();
    const auto outputs = engine.outputs();
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const narae::TensorView output = session.output(i);
      print(outputs[i].name, output.dtype(), output.shape());
    }
    const narae_session_stats stats = session.stats();
    std::printf("load %.1f ms, run %.2f ms, arena %.1f MB\n", engine.stats().load_ms, stats.run_ms,
                static_cast<double>(stats.arena_bytes) / 1e6);
    return 0;
  } catch (const narae::Error& error) {
    std::fprintf(stderr, "run_model: %s\n", error.what());
    return error.status();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "run_model: %s\n", error.what());
    return NARAE_FAILED;
  }
}
