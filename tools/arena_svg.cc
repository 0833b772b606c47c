// SPDX-License-Identifier: Apache-2.0
#include "arena_svg.h"

#include <algorithm>

#include "explain_json.h"

namespace narae {
namespace {

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '<') {
      safe += "&lt;";
    } else if (c == '>') {
      safe += "&gt;";
    } else if (c == '&') {
      safe += "&amp;";
    } else if (static_cast<unsigned char>(c) >= 32) {
      safe += c;
    }
  }
  return safe;
}

}  // namespace

std::string arena_svg(const Program& program, const std::string& title) {
  constexpr double width = 1200, height = 600, margin = 40;
  const double records = std::max<double>(1, static_cast<double>(program.records.size()));
  const double bytes = std::max<double>(1, static_cast<double>(program.arena_bytes));
  auto x = [&](double record) { return margin + record / records * width; };
  auto y = [&](double offset) { return margin + offset / bytes * height; };
  std::string svg = fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {:.0f} {:.0f}" font-family="sans-serif" font-size="12">)"
      "\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
      width + 2 * margin, height + 2 * margin);
  svg += fmt::format("<text x=\"{}\" y=\"24\">{}: arena {:.2f} MB, lower bound {:.2f} MB, {} records</text>\n", margin,
                     escaped(title), bytes / 1e6, static_cast<double>(program.lower_bound_bytes) / 1e6,
                     program.records.size());
  int shade = 0;
  for (const Region& region : regions_of(program)) {
    const double left = x(region.first), right = x(region.last + 1);
    const double top = y(static_cast<double>(region.offset)),
                 bottom = y(static_cast<double>(region.offset + region.bytes));
    svg += fmt::format(
        "<rect x='{:.2f}' y='{:.2f}' width='{:.2f}' height='{:.2f}' fill='hsl({},60%,70%)' stroke='#444' "
        "stroke-width='0.4'>"
        "<title>{}: {} bytes at {}, records {} to {}</title></rect>\n",
        left, top, right - left, bottom - top, shade, escaped(region.value), region.bytes, region.offset, region.first,
        region.last);
    shade = (shade + 137) % 360;
  }
  svg += fmt::format("<text x=\"{}\" y=\"{}\">records in the order they run; addresses grow downwards</text>\n</svg>\n",
                     margin, height + 2 * margin - 14);
  return svg;
}

}  // namespace narae
