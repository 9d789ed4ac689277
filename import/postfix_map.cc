#include "import/postfix_map.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "common/base/text.h"
#include "import/main_cf.h"

namespace holdfast::importer {
namespace {

using base::Kind;

// Kinds that postmap makes of a text file of the same name.
constexpr std::array<std::string_view, 7> kFromText{"hash", "btree", "lmdb", "cdb", "dbm", "sdbm", "texthash"};

base::Result<PostfixMap> parse_text(const std::string& text) {
  PostfixMap out;
  std::size_t number = 0;
  for (auto line : base::split(text, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto content = base::trim(line);
    if (content.empty() || content.front() == '#') continue;
    if (line.front() == ' ' || line.front() == '\t') {
      if (out.entries.empty()) return base::fail(Kind::kData, fmt::format("line {}: continues a line that is not there", number));
      out.entries.back().second += " " + std::string(content);
      continue;
    }
    const auto blank = content.find_first_of(" \t");
    const auto value = blank == content.npos ? std::string_view() : base::trim(content.substr(blank));
    out.entries.emplace_back(base::to_lower(content.substr(0, blank)), value);
  }
  return out;
}

// inline:{key=value, {key = value with blanks}}
base::Result<PostfixMap> parse_inline(std::string_view text) {
  if (!text.starts_with('{') || !text.ends_with('}')) return base::fail(Kind::kData, "inline: without its brackets");
  PostfixMap out;
  for (std::string item : postfix_list(text.substr(1, text.size() - 2))) {
    if (item.starts_with('{') && item.ends_with('}')) item = item.substr(1, item.size() - 2);
    const auto equals = item.find('=');
    if (equals == item.npos) return base::fail(Kind::kData, fmt::format("inline: '{}' has no '='", base::printable(item)));
    out.entries.emplace_back(base::to_lower(base::trim(std::string_view(item).substr(0, equals))),
                             base::trim(std::string_view(item).substr(equals + 1)));
  }
  return out;
}

base::Result<std::string> read_text(const std::string& file, const ReadFile& read) {
  auto text = read(file);
  if (text) return text;
  return base::fail(text.error().kind, fmt::format("{} (its text is needed, not what postmap has made of it)", text.error().text));
}

}  // namespace

const std::string* PostfixMap::find(std::string_view key) const {
  if (is_static) return &entries.front().second;
  const auto found = std::ranges::find(entries, key, &std::pair<std::string, std::string>::first);
  return found == entries.end() ? nullptr : &found->second;
}

bool is_postfix_map(std::string_view item) {
  const auto colon = item.find(':');
  return colon != item.npos && colon > 0 &&
         std::ranges::all_of(item.substr(0, colon), [](char c) { return (c >= 'a' && c <= 'z') || c == '_' || c == '-'; });
}

base::Result<PostfixMap> read_postfix_map(const std::string& table, const ReadFile& read) {
  if (table.starts_with("proxy:")) return read_postfix_map(table.substr(6), read);
  const auto colon = table.find(':');
  const std::string kind = table.substr(0, colon), name = colon == table.npos ? "" : table.substr(colon + 1);
  if (kind == "inline") return parse_inline(name);
  if (kind == "static") {
    PostfixMap out;
    out.is_static = true;
    out.entries.emplace_back("", name.starts_with('{') && name.ends_with('}') ? name.substr(1, name.size() - 2) : name);
    return out;
  }
  if (std::ranges::find(kFromText, kind) == kFromText.end()) {
    return base::fail(Kind::kData, fmt::format("what a {}: table holds cannot be known here", base::printable(kind)));
  }
  const auto text = read_text(name, read);
  if (!text) return std::unexpected(text.error());
  auto out = parse_text(*text);
  if (!out) return base::fail(Kind::kData, fmt::format("{}: {}", name, out.error().text));
  return out;
}

base::Result<std::vector<std::string>> read_postfix_words(const std::string& file, const ReadFile& read) {
  const auto text = read(file);
  if (!text) return std::unexpected(text.error());
  std::vector<std::string> out;
  for (const auto line : base::split(*text, '\n')) {
    if (base::trim(line).starts_with('#')) continue;
    for (auto& word : postfix_list(base::trim(line))) out.push_back(base::to_lower(word));
  }
  return out;
}

}  // namespace holdfast::importer
