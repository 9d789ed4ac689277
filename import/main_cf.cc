#include "import/main_cf.h"

#include <cctype>

#include <fmt/core.h>

#include "common/base/text.h"

namespace holdfast::importer {
namespace {

constexpr int kDeepest = 20;  // of names in names

// Of postconf(5): those that other values are made of. Postfix takes these two from the machine's name.
const std::map<std::string, std::string, std::less<>> kDefaults{
    {"mydestination", "$myhostname, localhost.$mydomain, localhost"},
    {"myorigin", "$myhostname"},
    {"config_directory", "/etc/postfix"},
    {"default_database_type", "hash"},
    {"relay_transport", "relay"},
};

bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Of what begins with `open` at `at`: the place of its end.
std::size_t closing(std::string_view text, std::size_t at, char open, char close) {
  int depth = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == open) ++depth;
    if (text[at] == close && --depth == 0) return at;
  }
  return text.npos;
}

}  // namespace

base::Result<MainCf> MainCf::parse(std::string_view text) {
  MainCf out;
  std::string* current = nullptr;
  std::size_t number = 0;
  for (auto line : base::split(text, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto content = base::trim(line);
    if (content.empty() || content.front() == '#') continue;
    if (is_blank(line.front())) {
      if (current == nullptr) return base::fail(base::Kind::kData, fmt::format("line {}: continues a line that is not there", number));
      *current += (current->empty() ? "" : " ") + std::string(content);
      continue;
    }
    const auto equals = content.find('=');
    const auto name = base::trim(content.substr(0, equals));
    if (equals == content.npos || name.empty() || name.find_first_of(" \t") != name.npos) {
      return base::fail(base::Kind::kData, fmt::format("line {}: neither 'name = value' nor a comment: '{}'", number,
                                                       base::printable(content.substr(0, 60))));
    }
    current = &(out.values_[std::string(name)] = std::string(base::trim(content.substr(equals + 1))));
  }
  return out;
}

std::vector<std::string> MainCf::names() const {
  std::vector<std::string> out;
  for (const auto& [name, value] : values_) out.push_back(name);
  return out;
}

base::Result<std::string> MainCf::value(const std::string& name) const { return replace(name, 0); }

base::Result<std::string> MainCf::expand(std::string_view text, int depth) const {
  if (depth > kDeepest) return base::fail(base::Kind::kData, "names in it go in a circle");
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '$') {
      out += text[at++];
      continue;
    }
    if (text.substr(at).starts_with("$$")) {
      out += '$';
      at += 2;
      continue;
    }
    const char open = at + 1 < text.size() ? text[at + 1] : ' ';
    std::size_t end = at + 1;
    std::string_view inside;
    if (open == '{' || open == '(') {
      end = closing(text, at + 1, open, open == '{' ? '}' : ')');
      if (end == text.npos) return base::fail(base::Kind::kData, "a bracket behind $ is not closed");
      inside = text.substr(at + 2, end - at - 2);
      ++end;
    } else {
      while (end < text.size() && is_name(text[end])) ++end;
      inside = text.substr(at + 1, end - at - 1);
    }
    auto value = replace(inside, depth + 1);
    if (!value) return value;
    out += *value;
    at = end;
  }
  return out;
}

// What stands for the $name.
base::Result<std::string> MainCf::replace(std::string_view inside, int depth) const {
  std::size_t end = 0;
  while (end < inside.size() && is_name(inside[end])) ++end;
  const std::string name(inside.substr(0, end));
  const auto rest = inside.substr(end);
  if (name.empty() || (!rest.empty() && rest.front() != '?' && rest.front() != ':')) {
    return base::fail(base::Kind::kData, fmt::format("'${{{}}}' is a form that is not known here", base::printable(inside)));
  }
  const auto given = values_.find(name);
  const auto standard = kDefaults.find(name);
  const std::string raw = given != values_.end() ? given->second : standard != kDefaults.end() ? standard->second : "";
  if (rest.empty()) return expand(raw, depth + 1);
  if (rest.substr(1).starts_with('{')) {
    return base::fail(base::Kind::kData, fmt::format("'${{{}}}' is a form that is not known here", base::printable(inside)));
  }
  return raw.empty() == (rest.front() == ':') ? expand(rest.substr(1), depth + 1) : std::string();
}

std::vector<std::string> postfix_list(std::string_view text) {
  std::vector<std::string> out;
  std::string item;
  int depth = 0;
  for (const char c : text) {
    if (c == '{') ++depth;
    if (c == '}') --depth;
    if (depth <= 0 && (c == ',' || is_blank(c))) {
      if (!item.empty()) out.push_back(std::move(item));
      item.clear();
    } else {
      item += c;
    }
  }
  if (!item.empty()) out.push_back(std::move(item));
  return out;
}

}  // namespace holdfast::importer
