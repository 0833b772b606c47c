// SPDX-License-Identifier: Apache-2.0
// Batch rule, configuration files, and a model whose requests are all answered once, whatever happens to it.
#include <gtest/gtest.h>

#include <future>

#include "base/error.h"
#include "graph/text.h"
#include "serve/metrics.h"
#include "serve/model_folder.h"
#include "serve/tensor_model.h"

namespace narae {
namespace {

struct ServeTest : ::testing::Test {
  ServeTest()
      : runtime([] {
          RuntimeOptions options;
          options.threads = 1;
          return options;
        }()) {}
  std::shared_ptr<Engine> engine(const std::string& text) {
    auto made = std::make_shared<Engine>(parse_graph(text, runtime.ops()), Profile{});
    made->set_section(
        lower_engine(made->portable().clone(), *runtime.device(), opt_sizes(made->portable(), {}), EstimatedCosts()));
    return made;
  }
  BatchRule rule(const std::string& text) { return batch_rule(*parse_graph(text, runtime.ops())); }
  Runtime runtime;
};

const char* const kRelu = R"(graph "relu" {
  symbol N 0 1000000
  input %x "x" f32[N,3]
  %y f32[N,3] = relu(%x) from "y"
  output %y "y"
}
)";

TEST_F(ServeTest, RuleWantsOneSymbolInFrontAndNowhereElse) {
  const BatchRule relu = rule(kRelu);
  EXPECT_TRUE(relu.join) << relu.reason;
  EXPECT_EQ(relu.symbol, "N");
  EXPECT_EQ(rule(R"(graph "g" {
  input %x "x" f32[2,3]
  %y f32[2,3] = relu(%x) from "y"
  output %y "y"
}
)")
                .reason,
            "the first dimension of input \"x\" is 2, not a free size");
  const std::string two = rule(R"(graph "g" {
  symbol N 0 100
  symbol M 0 100
  input %x "x" f32[N,3]
  input %z "z" f32[M,3]
  %y f32[N,3] = relu(%x) from "y"
  %w f32[M,3] = relu(%z) from "w"
  output %y "y"
  output %w "w"
}
)")
                              .reason;
  EXPECT_EQ(two, "the first dimension of input \"z\" is M, that of others N");
  EXPECT_EQ(rule(R"(graph "g" {
  symbol N 0 100
  input %x "x" f32[N,N]
  %y f32[N,N] = relu(%x) from "y"
  output %y "y"
}
)")
                .reason,
            "axis 1 of input \"x\" depends on the batch: N");
}

TEST_F(ServeTest, ConfigurationsAreReadAndUnknownFieldsRefusedByName) {
  const ModelConfig config = parse_model_config(R"(# written for another server
name: "relu"
platform: "onnxruntime_onnx"
max_batch_size: 16
input [ { name: "x" data_type: TYPE_FP32 dims: [ -1, 3 ] } ]
output { name: 'y', data_type: TYPE_FP32, dims: 3 }
dynamic_batching { preferred_batch_size: [ 4, 8 ] max_queue_delay_microseconds: 500
  default_queue_policy { max_queue_size: 7 } }
instance_group [ { count: 2 kind: KIND_CPU } ]
)");
  EXPECT_EQ(config.name, "relu");
  EXPECT_EQ(config.max_batch, 16);
  EXPECT_EQ(config.preferred, (std::vector<int64_t>{4, 8}));
  EXPECT_EQ(config.max_delay, 500);
  EXPECT_EQ(config.max_queue, 7);
  EXPECT_EQ(config.instances, 2);
  const std::pair<const char*, const char*> bad[] = {
      {"sequence_batching { }", "sequence_batching"},
      {"input { name: \"x\" reshape { shape: [1] } }", "input.reshape"},
      {"instance_group { gpus: [0] }", "instance_group.gpus"},
      {"max_batch_size: -1", "at least 0"},
      {"max_batch_size: 99999999999999999999", "whole number"},
      {"name: \"x", "not closed"},
      {"platform: \"tensorflow_savedmodel\"", "tensorflow_savedmodel"},
      {"dynamic_batching { ", "'}'"},
      {"} name: \"x\"", "closes nothing"},
  };
  for (const auto& [text, word] : bad) {
    try {
      parse_model_config(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_file);
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
  }
}

RequestPtr call(TensorModel& model, int64_t rows, float value) {
  InferCall made;
  made.inputs.push_back({"x", Tensor::of<float>(DType::f32, {rows, 3}, std::vector<float>(rows * 3, value))});
  return model.make_request(std::move(made));
}

TEST_F(ServeTest, EveryRequestIsAnsweredOrRefusedOnce) {
  TensorModelOptions options;
  options.max_batch = 4;
  options.max_queue = 8;
  auto model = std::make_shared<TensorModel>("relu", "1", engine(kRelu), runtime, options);
  std::atomic<int> ended{0};
  int refused = 0;
  std::vector<RequestPtr> sent;
  for (int i = 0; i < 500; ++i) {
    RequestPtr request = call(*model, 1 + i % 4, static_cast<float>(i - 250));
    if (model->submit(request, [&] { ++ended; }) != Refusal::none) {
      ++refused;
      continue;
    }
    if (i % 7 == 0) model->cancel(request);
    sent.push_back(std::move(request));
  }
  model->close();
  EXPECT_EQ(static_cast<size_t>(ended), sent.size());
  EXPECT_EQ(sent.size() + static_cast<size_t>(refused), 500u);
  for (const RequestPtr& request : sent) {
    model->account(*request, 0, 0);
    const Ending& ending = request->out->ending();
    if (ending.finish == Finish::cancelled) continue;
    ASSERT_EQ(ending.finish, Finish::done);
    const float in = request->in.tensors[0].as<float>()[0];
    ASSERT_EQ(ending.outputs.at(0).dims, request->in.tensors[0].dims);
    EXPECT_EQ(ending.outputs[0].as<float>()[0], std::max(in, 0.0f));
  }
  const ModelStatistics& sums = model->statistics();
  EXPECT_EQ(sums.success.count + sums.cancelled, sent.size());
  EXPECT_EQ(sums.rejected, static_cast<uint64_t>(refused));
  EXPECT_EQ(call(*model, 1, 0)->in.tensors.size(), 1u);
  EXPECT_EQ(model->submit(call(*model, 1, 0), [] {}), Refusal::closed);
}

TEST_F(ServeTest, WrongInputsAreNamed) {
  TensorModelOptions options;
  options.max_batch = 4;
  TensorModel model("relu", "1", engine(kRelu), runtime, options);
  const auto says = [&](std::vector<NamedTensor> inputs) -> std::string {
    InferCall made;
    made.inputs = std::move(inputs);
    try {
      model.make_request(std::move(made));
    } catch (const Error& error) {
      return error.what();
    }
    return "taken";
  };
  const Tensor good = Tensor::allocate(DType::f32, {1, 3});
  EXPECT_NE(says({}).find("\"x\" is missing"), std::string::npos);
  EXPECT_NE(says({{"x", good}, {"x", good}}).find("there twice"), std::string::npos);
  EXPECT_NE(says({{"x", good}, {"z", good}}).find("no input \"z\""), std::string::npos);
  EXPECT_NE(says({{"x", Tensor::allocate(DType::i32, {1, 3})}}).find("sent as i32"), std::string::npos);
  EXPECT_NE(says({{"x", Tensor::allocate(DType::f32, {1, 4})}}).find("[1,4]"), std::string::npos);
  EXPECT_NE(says({{"x", Tensor::allocate(DType::f32, {3})}}).find("[3]"), std::string::npos);
  EXPECT_NE(says({{"x", Tensor::allocate(DType::f32, {5, 3})}}).find("--max-batch"), std::string::npos);
  EXPECT_NE(says({{"x", Tensor::allocate(DType::f32, {0, 3})}}).find("no rows"), std::string::npos);
}

TEST_F(ServeTest, RepositoryLoadsUnloadsAndKeepsReasons) {
  bool broken = false;
  ModelRepository repository([&](const ModelSource& source) -> std::shared_ptr<Model> {
    if (broken) fail(ErrorCode::bad_file, "the file is broken");
    return std::make_shared<TensorModel>(source.name, source.version, engine(kRelu), runtime, TensorModelOptions{});
  });
  ModelSource source;
  source.name = "relu";
  repository.add(source);
  EXPECT_THROW(repository.add(source), Error);
  EXPECT_EQ(repository.find("relu"), nullptr);
  repository.load("relu");
  const std::shared_ptr<Model> first = repository.find("relu");
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(repository.find("relu", "2"), nullptr);
  EXPECT_EQ(repository.find("relu", "1"), first);
  EXPECT_NE(metrics_text(repository, {}).find("nv_inference_count{model=\"relu\",version=\"1\"} 0"), std::string::npos);
  repository.load("relu");
  EXPECT_NE(repository.find("relu"), first);
  broken = true;
  EXPECT_THROW(repository.load("relu"), Error);
  EXPECT_NE(repository.find("relu"), nullptr) << "a model that answers stays when a reload fails";
  repository.unload("relu");
  EXPECT_EQ(repository.find("relu"), nullptr);
  EXPECT_THROW(repository.load("relu"), Error);
  EXPECT_EQ(repository.index().at(0).reason, "the file is broken");
  EXPECT_THROW(repository.load("other"), Error);
  EXPECT_THROW(repository.unload("other"), Error);
}

}  // namespace
}  // namespace narae
