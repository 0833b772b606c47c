// SPDX-License-Identifier: Apache-2.0
// Running a prepared Session allocates nothing, in any thread, as long as the chosen tactics are our own.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>

#include "model_run.h"

namespace {
std::atomic<bool> counting{false};
std::atomic<int64_t> counted{0};
}  // namespace

// The C library's own, under the names that it keeps for this.
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) {
  if (counting) ++counted;
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  if (counting) ++counted;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, size_t size) {
  if (counting) ++counted;
  return __libc_realloc(memory, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  if (counting) ++counted;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, size_t alignment, size_t size) {
  if (counting) ++counted;
  *memory = __libc_memalign(alignment, size);
  return *memory ? 0 : 12;
}
}

namespace narae {
namespace {

class Allocations : public testing::TestWithParam<const char*> {};

TEST(Counter, CountsWhatIsAllocated) {
  counted = 0, counting = true;
  void* volatile plain = std::malloc(10);
  auto* volatile object = new std::string(100, 'x');
  counting = false;
  EXPECT_GE(counted, 3);  // the string's letters too
  std::free(plain);
  delete object;
}

TEST_P(Allocations, NoneWhileRunning) {
  RuntimeOptions options;
  Runtime runtime(options);
  Session session(load_model(model_path(GetParam()), runtime), runtime.device());
  for (const int64_t batch : {1, 3}) {
    ModelRun run(session, batch, 5);
    session.run(run.inputs, run.outputs);
    for (const Record& record : session.program()->records) {
      ASSERT_EQ(record.what.find("onednn"), std::string::npos) << "not ours to count: " << record.what;
    }
    counted = 0, counting = true;
    for (int i = 0; i < 5; ++i) session.run(run.inputs, run.outputs);
    counting = false;
    EXPECT_EQ(counted, 0) << "batch " << batch;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Allocations, testing::Values("fashion-resnet", "fashion-inception", "fashion-vit"));

}  // namespace
}  // namespace narae
