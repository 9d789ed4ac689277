#include "gatewayctl/man_page.h"

#include <cctype>
#include <vector>

#include <fmt/core.h>

#include "common/base/text.h"

namespace holdfast::gatewayctl {
namespace {

constexpr std::size_t kWidth = 100;

// The character at `at`, which is not ASCII, as \[uXXXX]; `at` moves behind it. What is no UTF-8 is left out.
std::string named_character(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
  if (more == 0) return "";
  std::uint32_t code = lead & (0x3f >> more);
  for (int i = 0; i < more; ++i, ++at) {
    if (at >= text.size() || (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80) return "";
    code = code << 6 | (static_cast<unsigned char>(text[at]) & 0x3f);
  }
  return fmt::format("\\[u{:04X}]", code);
}

std::string_view escape_of(char c) {
  switch (c) {
    case '\\': return "\\e";
    case '-': return "\\-";
    case '\'': return "\\(aq";
    case '`': return "\\(ga";
    case '^': return "\\(ha";
    case '~': return "\\(ti";
    default: return "";
  }
}

// `code` and **bold** as bold, [text](link) as its text.
std::string inline_text(std::string_view text) {
  std::string out, plain;
  const auto flush = [&] {
    out += groff_text(plain);
    plain.clear();
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view mark = text[at] == '`' ? "`" : text.substr(at).starts_with("**") ? "**" : "";
    const auto end = mark.empty() ? text.npos : text.find(mark, at + mark.size());
    const auto link = text[at] == '[' ? text.find("](", at) : text.npos;
    if (end != text.npos) {
      flush();
      out += "\\fB" + groff_text(text.substr(at + mark.size(), end - at - mark.size())) + "\\fR";
      at = end + mark.size();
    } else if (link != text.npos && text.find(')', link) != text.npos) {
      plain += text.substr(at + 1, link - at - 1);
      at = text.find(')', link) + 1;
    } else {
      plain += text[at++];
    }
  }
  flush();
  return out;
}

// Words in lines of a bearable length; none of them is taken for a request.
std::string filled(std::string_view text) {
  std::string out, line;
  const auto flush = [&] {
    if (line.empty()) return;
    out += (line.front() == '.' ? "\\&" : "") + line + "\n";
    line.clear();
  };
  for (const auto word : base::split(text, ' ')) {
    if (word.empty()) continue;
    if (!line.empty() && line.size() + 1 + word.size() > kWidth) flush();
    line += (line.empty() ? "" : " ") + std::string(word);
  }
  flush();
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

bool is_table_rule(std::string_view line) { return line.find_first_not_of("|- ") == line.npos; }

// "| a | b |", in which \| is no border.
std::vector<std::string> cells(std::string_view line) {
  std::vector<std::string> out;
  std::string cell;
  for (std::size_t at = 1; at < line.size(); ++at) {
    if (line[at] == '\\' && at + 1 < line.size() && line[at + 1] == '|') {
      cell += line[++at];
    } else if (line[at] == '|') {
      out.emplace_back(base::trim(cell));
      cell.clear();
    } else {
      cell += line[at];
    }
  }
  return out;
}

// Line by line; a paragraph grows until something else comes.
class Writer {
 public:
  std::string write(std::string_view markdown) {
    for (const auto line : base::split(markdown, '\n')) take(line);
    end_paragraph();
    end_block();
    return std::move(out_);
  }

 private:
  void take(std::string_view line) {
    if (line.starts_with("    ") && paragraph_.empty()) return take_verbatim(line.substr(4));
    if (line.empty()) return end_paragraph();
    end_block();
    if (line.starts_with("### ")) return head(".SS ", line.substr(4));
    if (line.starts_with("## ")) return head(".SH ", upper(line.substr(3)));
    if (line.front() == '|') return take_row(line);
    if (line.starts_with("- ")) {
      end_paragraph();
      start_ = ".IP \\(bu 2\n";
      line.remove_prefix(2);
    }
    paragraph_ += (paragraph_.empty() ? "" : " ") + std::string(base::trim(line));
  }

  void head(std::string_view request, std::string_view text) {
    end_paragraph();
    out_ += std::string(request) + groff_text(text) + "\n";
  }

  void take_row(std::string_view line) {
    end_paragraph();
    const auto row = cells(line);
    if (is_table_rule(line) || row.size() < 2) return;
    out_ += ".TP\n" + inline_text(row[0]) + "\n" + filled(inline_text(row[1]));
  }

  void take_verbatim(std::string_view line) {
    if (!in_block_) out_ += ".PP\n.RS 4\n.EX\n";
    in_block_ = true;
    out_ += (line.starts_with('.') ? "\\&" : "") + groff_text(line) + "\n";
  }

  void end_block() {
    if (in_block_) out_ += ".EE\n.RE\n";
    in_block_ = false;
  }

  void end_paragraph() {
    if (!paragraph_.empty()) out_ += (start_.empty() ? ".PP\n" : start_) + filled(inline_text(paragraph_));
    paragraph_.clear();
    start_.clear();
  }

  std::string out_, paragraph_, start_;
  bool in_block_ = false;
};

}  // namespace

std::string groff_text(std::string_view plain) {
  std::string out;
  for (std::size_t at = 0; at < plain.size();) {
    if ((plain[at] & 0x80) != 0) {
      out += named_character(plain, at);
      continue;
    }
    const auto escape = escape_of(plain[at]);
    if (escape.empty()) {
      out += plain[at];
    } else {
      out += escape;
    }
    ++at;
  }
  return out;
}

std::string man_page(const ManPage& page) {
  // Left-aligned and without hyphens: names of settings and options are long, and not to be parted.
  std::string out = fmt::format(".TH {} {} \"\" \"Holdfast {}\" \"Holdfast mail gateway\"\n.nh\n.ad l\n", groff_text(upper(page.name)),
                                page.section, HOLDFAST_VERSION);
  out += fmt::format(".SH NAME\n{} \\- {}\n", groff_text(page.name), groff_text(page.summary));
  if (!page.synopsis.empty()) out += ".SH SYNOPSIS\n" + Writer().write(page.synopsis);
  out += ".SH DESCRIPTION\n" + Writer().write(page.body);
  if (!page.see_also.empty()) out += ".SH SEE ALSO\n" + filled(groff_text(page.see_also));
  return out;
}

}  // namespace holdfast::gatewayctl
