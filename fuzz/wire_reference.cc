#include "fuzz/wire_reference.h"

#include <cctype>
#include <vector>

namespace holdfast::fuzz {
namespace {

struct Line {
  std::string text;
  bool after_crlf = true;  // or at the beginning: only there a dot is more than a dot
  bool ended = false;
};

std::vector<Line> lines_of(std::string_view raw, bool& bare_newline) {
  std::vector<Line> lines(1);
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const bool crlf = raw[i] == '\r' && i + 1 < raw.size() && raw[i + 1] == '\n';
    if (raw[i] != '\r' && raw[i] != '\n') {
      lines.back().text += raw[i];
      continue;
    }
    if (crlf) ++i;
    if (!crlf) bare_newline = true;
    lines.back().ended = true;
    lines.push_back({{}, crlf, false});
  }
  if (lines.back().text.empty()) lines.pop_back();
  return lines;
}

void put_line(Decoded& out, const std::string& text) {
  if (text.starts_with('.')) out.content += '.';
  out.content += text + "\r\n";
  out.octets += text.size() + 2;
}

std::string_view take_word(std::string_view& line) {
  while (line.starts_with(' ')) line.remove_prefix(1);
  const auto word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

std::string upper(std::string_view s) {
  std::string out;
  for (const char c : s) out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

}  // namespace

bool ends_data(std::string_view raw) { return raw == ".\r\n" || raw.ends_with("\r\n.\r\n"); }

Decoded decode_data(std::string_view raw) {
  Decoded out;
  raw.remove_suffix(3);
  for (Line& line : lines_of(raw, out.bare_newline)) {
    if (line.after_crlf && line.text.starts_with('.')) line.text.erase(0, 1);
    put_line(out, line.text);
  }
  return out;
}

Decoded decode_chunks(std::string_view raw) {
  Decoded out;
  for (const Line& line : lines_of(raw, out.bare_newline)) put_line(out, line.text);
  return out;
}

std::optional<ChunkLine> read_chunk_line(std::string_view line) {
  if (upper(take_word(line)) != "BDAT") return std::nullopt;
  const auto digits = take_word(line);
  const auto word = upper(take_word(line));
  if (digits.empty() || digits.size() > 20 || !take_word(line).empty()) return std::nullopt;
  if (!word.empty() && word != "LAST") return std::nullopt;
  ChunkLine out{0, !word.empty()};
  for (const char c : digits) {
    const auto digit = static_cast<unsigned>(c - '0');
    if (c < '0' || c > '9' || out.size > (~std::uint64_t{0} - digit) / 10) return std::nullopt;
    out.size = out.size * 10 + digit;
  }
  return out;
}

}  // namespace holdfast::fuzz
