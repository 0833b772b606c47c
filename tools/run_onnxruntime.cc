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

struct Foreign {
  std::string script, python;
};
// Beside an installed binary, with the python3 of the PATH; else in the checkout that the build folder lies in, with
// the environment of its set-up where there is one.
Foreign find_foreign() {
  std::error_code error;
  const auto binary = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto installed = binary.parent_path().parent_path() / "share/narae/compare_onnxruntime.py";
  if (std::filesystem::exists(installed, error)) return {installed.string(), "python3"};
  for (auto folder = binary.parent_path(); folder.has_relative_path(); folder = folder.parent_path()) {
    const auto script = folder / "tools/compare_onnxruntime.py", python = folder / ".venv/bin/python";
    if (!std::filesystem::exists(script, error)) continue;
    return {script.string(), std::filesystem::exists(python, error) ? python.string() : "python3"};
  }
  fail(ErrorCode::failed, "there is no compare_onnxruntime.py around {}; install Narae, or build it in its checkout",
       binary.string());
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
  const Foreign foreign = find_foreign();
  const std::string& interpreter = python.empty() ? foreign.python : python;
  std::vector<std::string> command = {interpreter, foreign.script, model, folder};
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
