// Manual pages (man(7), for groff and man) from the Markdown that the reference pages in docs/ are written in: so one
// table gives both. Pure.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::gatewayctl {

struct ManPage {
  std::string name;       // "gateway.yaml"
  int section = 8;
  std::string summary;    // after the dash of NAME
  std::string synopsis;   // Markdown; empty: none
  // Markdown: ## and ### headings, paragraphs, `code`, **bold**, [text](link), lists with -, tables of two columns,
  // blocks indented by four. It may begin with paragraphs: these are DESCRIPTION.
  std::string body;
  std::string see_also;   // "gatewayctl(8), gateway.yaml(5)"
};

std::string man_page(const ManPage& page);

// Running text for groff: what it would take for itself is escaped, and what is not ASCII is named.
std::string groff_text(std::string_view plain);

}  // namespace holdfast::gatewayctl
