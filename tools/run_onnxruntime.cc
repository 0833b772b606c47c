// SPDX-License-Identifier: Apache-2.0
#include "run_onnxruntime.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"

extern char** environ;

namespace narae {
namespace {

constexpr const char* remedy =
    "run `make setup` in Narae's checkout, or give --python an interpreter that has numpy, onnx and onnxruntime";

// Beside an installed binary, else where it was built.
std::string script() {
  std::error_code error;
  const auto binary = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto installed = binary.parent_path().parent_path() / "share/narae/compare_onnxruntime.py";
  if (!error && std::filesystem::exists(installed)) return installed.string();
  return NARAE_SOURCE "/tools/compare_onnxruntime.py";
}

// Exit status; its stdout goes to our stderr.
int run(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed) fail(ErrorCode::failed, "cannot run \"{}\": {}; {}", command[0], std::strerror(failed), remedy);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace

ForeignResults run_onnxruntime(const std::string& model, const std::vector<std::string>& inputs,
                               const std::string& folder, const std::string& python) {
  const std::string interpreter = python.empty() ? NARAE_SOURCE "/.venv/bin/python" : python;
  if (python.empty() && !std::filesystem::exists(interpreter)) {
    fail(ErrorCode::failed, "there is no Python environment at {}; {}", interpreter, remedy);
  }
  std::vector<std::string> command = {interpreter, script(), model, folder};
  command.insert(command.end(), inputs.begin(), inputs.end());
  const int status = run(command);
  if (status == 3) fail(ErrorCode::failed, "{} lacks a package that comparing needs; {}", interpreter, remedy);
  if (status != 0) fail(ErrorCode::failed, "onnxruntime did not run the model; its message stands on stderr");
  std::ifstream file(folder + "/index.json");
  const nlohmann::json index = nlohmann::json::parse(file);
  ForeignResults results;
  results.outputs = index.at("outputs").get<std::vector<std::string>>();
  for (const auto& value : index.at("values"))
    results.values.push_back({value.at("name"), value.at("node"), value.at("file")});
  return results;
}

}  // namespace narae
