#include "import/exim_text.h"

#include <algorithm>
#include <cctype>

#include <fmt/core.h>

#include "common/base/text.h"

namespace holdfast::importer {
namespace {

using base::Kind;

constexpr int kDeepest = 10;  // of files in files

struct Line {
  std::string text;
  std::size_t number;
};

bool is_macro_name(std::string_view name) {
  return !name.empty() && std::isupper(static_cast<unsigned char>(name.front())) != 0 &&
         std::ranges::all_of(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; });
}

std::string_view unquoted(std::string_view text) {
  return text.size() >= 2 && text.front() == '"' && text.back() == '"' ? text.substr(1, text.size() - 2) : text;
}

// Comments out, lines that end in a backslash joined.
std::vector<Line> logical_lines(std::string_view text) {
  std::vector<Line> out;
  bool goes_on = false;
  std::size_t number = 0;
  for (auto line : base::split(text, '\n')) {
    ++number;
    auto content = base::trim(line);
    if (content.starts_with('#') || (content.empty() && !goes_on)) continue;
    const bool more = content.ends_with('\\');
    if (more) content = base::trim(content.substr(0, content.size() - 1));
    if (goes_on) {
      out.back().text += content;
    } else {
      out.push_back({std::string(content), number});
    }
    goes_on = more;
  }
  return out;
}

class Reader {
 public:
  explicit Reader(const ReadFile& read) : read_(read) {}

  base::Status take(const std::string& text, int depth) {
    for (const auto& line : logical_lines(text)) {
      if (auto done = take_line(line, depth); !done) return done;
    }
    return {};
  }

  base::Result<EximFile> finish() {
    if (!conditions_.empty()) return base::fail(Kind::kData, "a .ifdef without its .endif");
    return std::move(file_);
  }

 private:
  struct Condition {
    bool active;    // what stands here counts
    bool decided;   // an earlier branch has counted, or what is around does not
  };

  bool active() const { return std::ranges::all_of(conditions_, &Condition::active); }

  base::Status take_line(const Line& line, int depth) {
    if (line.text.starts_with('.')) return take_directive(line, depth);
    if (!active()) return {};
    if (take_macro(line.text)) return {};
    const std::string text = replaced(line.text);
    if (text.starts_with("begin ")) {
      section_ = base::trim(text.substr(6));
      return {};
    }
    if (section_.empty()) return take_option(file_.main, text), base::Status();
    if (section_ == "routers") return take_driver(file_.routers, text, line.number);
    if (section_ == "transports") return take_driver(file_.transports, text, line.number);
    return {};
  }

  base::Status take_directive(const Line& line, int depth) {
    const auto blank = line.text.find_first_of(" \t");
    const std::string word = line.text.substr(0, blank);
    const std::string rest(blank == line.text.npos ? std::string_view() : base::trim(std::string_view(line.text).substr(blank)));
    if (word == ".ifdef" || word == ".ifndef") {
      const bool holds = defined(rest) == (word == ".ifdef");
      conditions_.push_back({holds, holds});
    } else if (word == ".elifdef" || word == ".elifndef" || word == ".else" || word == ".endif") {
      if (conditions_.empty()) return base::fail(Kind::kData, fmt::format("line {}: {} without .ifdef", line.number, word));
      if (word == ".endif") return conditions_.pop_back(), base::Status();
      Condition& condition = conditions_.back();
      const bool holds = word == ".else" || defined(rest) == (word == ".elifdef");
      condition.active = !condition.decided && holds;
      condition.decided = condition.decided || holds;
    } else if (word.starts_with(".include") && active()) {
      return include(std::string(unquoted(replaced(rest))), word == ".include_if_exists", depth);
    }
    return {};
  }

  base::Status include(const std::string& path, bool may_lack, int depth) {
    if (depth >= kDeepest) return base::fail(Kind::kData, fmt::format("{}: includes itself", path));
    const auto text = read_(path);
    if (text) return take(*text, depth + 1);
    if (!may_lack || text.error().kind != Kind::kNotFound) file_.unread.push_back(text.error().text);
    return {};
  }

  // .ifdef asks whether the line changes when macros are put in.
  bool defined(const std::string& text) const { return replaced(text) != text; }

  bool take_macro(std::string_view text) {
    const auto equals = text.find('=');
    if (equals == text.npos) return false;
    const auto name = base::trim(text.substr(0, equals));
    if (!is_macro_name(name)) return false;
    auto value = text.substr(equals + 1);
    if (value.starts_with('=')) value.remove_prefix(1);
    std::erase_if(macros_, [&](const auto& macro) { return macro.first == name; });
    macros_.emplace_back(name, replaced(std::string(base::trim(value))));
    // The longest name first: none is taken for the beginning of another.
    std::ranges::stable_sort(macros_, [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
    return true;
  }

  std::string replaced(const std::string& text) const {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
      const auto macro = std::ranges::find_if(macros_, [&](const auto& m) { return text.compare(at, m.first.size(), m.first) == 0; });
      if (macro == macros_.end()) {
        out += text[at++];
      } else {
        out += macro->second;
        at += macro->first.size();
      }
    }
    return out;
  }

  static void take_option(EximOptions& options, std::string_view text) {
    if (text.starts_with("hide ")) text = base::trim(text.substr(5));
    const auto equals = text.find('=');
    const std::string name(base::trim(text.substr(0, equals)));
    if (equals != text.npos) {
      options[name] = std::string(unquoted(base::trim(text.substr(equals + 1))));
    } else if (name.starts_with("no_") || name.starts_with("not_")) {
      options[name.substr(name.find('_') + 1)] = "false";
    } else {
      options[name] = "true";
    }
  }

  base::Status take_driver(std::vector<EximDriver>& drivers, std::string_view text, std::size_t number) {
    const auto colon = text.find(':');
    if (colon != text.npos && text.find_first_of("= \t") > colon) {  // its name, on a line of its own or before an option
      drivers.push_back({std::string(text.substr(0, colon)), {}});
      text = base::trim(text.substr(colon + 1));
      if (text.empty()) return {};
    }
    if (drivers.empty()) return base::fail(Kind::kData, fmt::format("line {}: an option that belongs to no driver", number));
    take_option(drivers.back().options, text);
    return {};
  }

  const ReadFile& read_;
  EximFile file_;
  std::vector<std::pair<std::string, std::string>> macros_;
  std::vector<Condition> conditions_;
  std::string section_;
};

}  // namespace

const std::string* EximDriver::find(const std::string& option) const {
  const auto found = options.find(option);
  return found == options.end() ? nullptr : &found->second;
}

base::Result<EximFile> parse_exim(const std::string& text, const ReadFile& read) {
  Reader reader(read);
  if (auto done = reader.take(text, 0); !done) return std::unexpected(done.error());
  return reader.finish();
}

std::vector<std::string> exim_list(std::string_view text) {
  char separator = ':';
  text = base::trim(text);
  if (text.size() > 1 && text.front() == '<' && std::ispunct(static_cast<unsigned char>(text[1])) != 0) {
    separator = text[1];
    text.remove_prefix(2);
  }
  std::vector<std::string> out;
  std::string item;
  const auto flush = [&] {
    if (const auto content = base::trim(item); !content.empty()) out.emplace_back(content);
    item.clear();
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != separator) {
      item += text[at];
    } else if (at + 1 < text.size() && text[at + 1] == separator) {
      item += text[at++];
    } else {
      flush();
    }
  }
  flush();
  return out;
}

}  // namespace holdfast::importer
