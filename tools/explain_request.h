// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

#include "console.h"

namespace narae {

// `narae explain request URL ID`; returns the subcommand.
CLI::App* add_explain_request(CLI::App& explain, Console& console);

}  // namespace narae
