// SPDX-License-Identifier: Apache-2.0
// The narae command. Every error of every subcommand is caught here and nowhere else: exit codes and the shape of an
// error are promised in docs/cli.md.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>
#include <new>

#include "base/error.h"
#include "console.h"

namespace narae {

#define NARAE_COMMAND(name) void add_##name(CLI::App& app, Console& console);
#include "commands.inc"
#undef NARAE_COMMAND

namespace {

void add_commands(CLI::App& app, Console& console) {
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string(NARAE_VERSION));
  app.get_formatter()->column_width(36);
#define NARAE_COMMAND(name) add_##name(app, console);
#include "commands.inc"
#undef NARAE_COMMAND
  app.footer(
      "`narae COMMAND --help` says more. Exit codes: 0 ok, 1 failed, 2 usage, 3 bad file, 4 does not fit (shape, "
      "memory "
      "limit),\n5 compare found a difference.");
}

int report(Console& console, const Error& error) {
  console.error(error_code_name(error.code()), error.message(), error.context());
  return error.code() == ErrorCode::internal ? 1 : static_cast<int>(error.code());
}

// How many letters of `a` must be changed, added or left out to make `b`.
size_t letters_apart(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (size_t i = 0; i < a.size(); ++i) {
    size_t corner = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t best = std::min({row[j] + 1, row[j + 1] + 1, corner + (a[i] != b[j])});
      corner = row[j + 1];
      row[j + 1] = best;
    }
  }
  return row.back();
}

// The flag of the command that `wrong` may stand for: one that begins so, else one that is nearly so; empty: none.
std::string flag_like(const CLI::App& command, const std::string& wrong) {
  std::string near;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      const std::string flag = "--" + name;
      if (flag.rfind(wrong, 0) == 0) return flag;
      if (near.empty() && letters_apart(wrong, flag) <= 2) near = flag;
    }
  }
  return near;
}

// What the command did not take, in the order it was written in.
std::string surplus_text(const CLI::App& command) {
  std::string text, likely;
  for (const std::string& word : command.remaining()) {
    text += (text.empty() ? "" : " ") + word;
    if (!likely.empty() || word.rfind("--", 0) != 0 || word.size() < 4) continue;
    likely = flag_like(command, word.substr(0, word.find('=')));
  }
  return fmt::format("{} takes no {}{}", command.get_name(), text,
                     likely.empty() ? "" : ": did you mean " + likely + "?");
}

int usage(Console& console, const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  for (int i = 1; i < argc; ++i) console.json = console.json || std::strcmp(argv[i], "--json") == 0;
  std::string known;
  bool is_known = argc < 2 || argv[1][0] == '-';
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    known += (known.empty() ? "" : ", ") + command->get_name();
    is_known = is_known || command->get_name() == argv[1];
  }
  if (!is_known) {
    return report(console,
                  Error(ErrorCode::usage, fmt::format("there is no command \"{}\"; there are: {}", argv[1], known)));
  }
  const auto chosen = app.get_subcommands();
  const std::string help = chosen.empty() ? "narae --help" : "narae " + chosen.front()->get_name() + " --help";
  std::string what = error.what();
  if (!chosen.empty() && !chosen.front()->remaining().empty()) {  // the cause of what is said to be missing
    const bool all = dynamic_cast<const CLI::ExtrasError*>(&error);
    what = surplus_text(*chosen.front()) + (all ? "" : "; " + what);
  }
  return report(console, Error(ErrorCode::usage, fmt::format("{}; see {}", what, help)));
}

int run(Console& console, int argc, char** argv) {
  CLI::App app("Narae compiles machine-learning models for the machine they run on, and runs them.", "narae");
  try {
    add_commands(app, console);
    app.parse(argc, argv);
    return console.exit_code;
  } catch (const CLI::Success& help) {  // --help, --version
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return usage(console, app, error, argc, argv);
  } catch (const Error& error) {
    return report(console, error);
  } catch (const std::bad_alloc&) {
    return report(console, Error(ErrorCode::does_not_fit, "the machine has not enough free memory"));
  } catch (const std::exception& error) {
    return report(console, Error(ErrorCode::failed, error.what()));
  }
}

}  // namespace
}  // namespace narae

int main(int argc, char** argv) {
  narae::Console console;
  const int code = narae::run(console, argc, argv);
  if (console.flush()) return code;
  console.json = false;
  console.error("failed", "standard output could not take the result (closed, or the disk is full)", {});
  return code ? code : 1;
}
