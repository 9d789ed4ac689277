#include "import/exim_lists.h"

#include <algorithm>

#include <fmt/core.h>

#include "common/base/text.h"

namespace holdfast::importer {
namespace {

constexpr int kDeepest = 10;  // of lists in lists

// "lsearch;/etc/file" or "partial-lsearch;/etc/file": the file.
std::optional<std::string> lsearch_file(std::string_view item) {
  for (const std::string_view kind : {"lsearch;", "partial-lsearch;"}) {
    if (item.starts_with(kind)) return std::string(base::trim(item.substr(kind.size())));
  }
  return std::nullopt;
}

// Of a file's keys. With partial-lsearch those with a star stand for names below (chapter 9.7); nothing: it may be that.
std::optional<bool> keys_have(const std::vector<std::pair<std::string, std::string>>& entries, const std::string& domain, bool partial) {
  bool perhaps = false;
  for (const auto& [key, value] : entries) {
    if (key == domain) return true;
    perhaps = perhaps || (partial && key.starts_with('*') && domain.ends_with(key.substr(key.starts_with("*.") ? 2 : 1)));
  }
  return perhaps ? std::nullopt : std::optional<bool>(false);
}

// "${if exists{FILE}{LIST}fail}", which Debian's file has: the list, or "" where the file is not there.
std::string settled(const std::string& list, const ReadFile& read) {
  static constexpr std::string_view kHead = "${if exists{", kTail = "}fail}";
  const auto middle = list.find("}{");
  if (!list.starts_with(kHead) || !list.ends_with(kTail) || middle == list.npos) return list;
  const auto file = read(list.substr(kHead.size(), middle - kHead.size()));
  if (!file && file.error().kind == base::Kind::kNotFound) return "";
  return list.substr(middle + 2, list.size() - kTail.size() - middle - 2);
}

}  // namespace

base::Result<std::vector<std::pair<std::string, std::string>>> read_lsearch(const std::string& file, const ReadFile& read) {
  const auto text = read(file);
  if (!text) return std::unexpected(text.error());
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto line : base::split(*text, '\n')) {
    const auto content = base::trim(line);
    if (content.empty() || content.front() == '#') continue;
    if ((line.front() == ' ' || line.front() == '\t') && !out.empty()) {
      out.back().second += " " + std::string(content);
      continue;
    }
    const auto end = content.find_first_of(" \t:");
    auto value = end == content.npos ? std::string_view() : base::trim(content.substr(end));
    if (value.starts_with(':')) value = base::trim(value.substr(1));
    out.emplace_back(base::to_lower(content.substr(0, end)), value);
  }
  return out;
}

std::vector<std::string> EximLists::flat(const std::string& list, std::vector<std::string>& unknown) const {
  std::vector<std::string> out;
  flatten(list, 0, out, unknown);
  return out;
}

void EximLists::flatten(const std::string& list, int depth, std::vector<std::string>& out, std::vector<std::string>& unknown) const {
  if (list.find('$') != list.npos || depth > kDeepest) {
    unknown.push_back(fmt::format("'{}', which only Exim can work out", base::printable(list)));
    return;
  }
  for (const auto& item : exim_list(list)) {
    if (item.starts_with('+')) {
      const auto named = main_.find("domainlist " + item.substr(1));
      if (named == main_.end()) {
        unknown.push_back(fmt::format("'{}', which is not there", item));
      } else {
        flatten(named->second, depth + 1, out, unknown);
      }
      continue;
    }
    const auto file = item.starts_with('/') ? item : lsearch_file(item);
    if (!file) {
      out.push_back(item);
      continue;
    }
    const auto entries = read_lsearch(*file, read_);
    if (!entries) unknown.push_back(entries.error().text);
    if (entries) std::ranges::for_each(*entries, [&](const auto& entry) { out.push_back(entry.first); });
  }
}

std::optional<bool> EximLists::has(const std::string& list, const std::string& domain) const { return has(list, domain, 0); }

std::optional<bool> EximLists::has(const std::string& written, const std::string& domain, int depth) const {
  const std::string list = settled(written, read_);
  if (list.find('$') != list.npos || depth > kDeepest) return std::nullopt;
  bool last_negated = false;
  for (std::string item : exim_list(list)) {
    const bool negated = item.starts_with('!');
    if (negated) item = std::string(base::trim(std::string_view(item).substr(1)));
    last_negated = negated;
    const auto match = matches(item, domain, depth);
    if (!match) return std::nullopt;
    if (*match) return !negated;
  }
  return last_negated;  // a list that ends with a "not this" takes the rest
}

std::optional<bool> EximLists::matches(const std::string& item, const std::string& domain, int depth) const {
  if (item == "*") return true;
  if (item == "@") {  // the host's own name; where it is not given, it is not the name of a domain that is relayed
    const auto own = main_.find("primary_hostname");
    return own != main_.end() && base::iequals(own->second, domain);
  }
  if (item.starts_with('+')) {
    const auto named = main_.find("domainlist " + item.substr(1));
    return named == main_.end() ? std::nullopt : has(named->second, domain, depth + 1);
  }
  if (item.starts_with('*')) return domain.ends_with(base::to_lower(item.substr(1)));
  const auto file = item.starts_with('/') ? item : lsearch_file(item);
  if (file) {
    const auto entries = read_lsearch(*file, read_);
    if (!entries) return std::nullopt;
    return keys_have(*entries, domain, item.starts_with("partial-"));
  }
  if (item.find_first_of("@^;\\") != item.npos) return std::nullopt;  // @, @[], @mx_any, regular expressions, lookups
  return base::iequals(item, domain);
}

}  // namespace holdfast::importer
