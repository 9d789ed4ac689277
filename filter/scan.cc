#include "filter/scan.h"

#include <algorithm>
#include <clocale>

#include <fmt/core.h>

#include "common/base/text.h"
#include "filter/archive.h"
#include "filter/kinds.h"
#include "filter/names.h"
#include "filter/parts.h"
#include "filter/urls.h"

namespace holdfast::filter {
namespace {

// Messages that were parsed anew, out of files and archives, in one another.
constexpr int kMessagesDeep = 10;

// Where something was found: a file's own name, and that of the attachment around it.
struct Spot {
  std::string name, outer;
  int depth = 0;  // archives around it

  std::string text() const {
    const std::string own = name.empty() ? "" : fmt::format("\"{}\"", shown_name(name));
    if (outer.empty()) return own.empty() ? "an attachment without a name" : "attachment " + own;
    return fmt::format("{} in attachment \"{}\"", own.empty() ? "a file" : own, shown_name(outer));
  }
};

class Scan {
 public:
  Scan(const Policy& policy, const std::function<bool()>& late, bool all) : policy_(policy), budget_(policy.limits, late), all_(all) {}

  Report run(std::string_view message) {
    look_into_message(message, 0);
    if (budget_.spent()) add(Rule::kDamaged, "the message holds too much to be checked");
    return std::move(report_);
  }

  bool enough() const { return enough_; }

  // A file, wherever it comes from. `whole`: false for the beginning of one.
  void look_into(const Spot& spot, std::string_view content, bool whole, bool text) {
    if (enough_) return;
    look_at_kind(spot, content, text);
    if (is_ole(content) && ole_has_macros(content)) add(Rule::kMacro, spot.text() + " has macros, which are not allowed here");
    if (!is_archive(content)) return;
    if (!whole || spot.depth >= policy_.limits.depth) return add(Rule::kDamaged, spot.text() + " cannot be checked to its end");
    look_into_archive(spot, content);
  }

  bool check_name(const Spot& spot) {
    if (spot.name.empty()) return !enough_;
    const std::string plain = plain_name(spot.name);
    if (is_disguised(spot.name) || policy_.names.match(plain)) add(Rule::kName, spot.text() + " is not allowed here");
    return !enough_;
  }

  void add(Rule rule, std::string text) {
    const Action action = policy_.action(rule);
    if (action == Action::kReject && !all_) enough_ = true;
    if (action == Action::kPass) return;
    const bool known = std::ranges::any_of(report_.findings, [&](const Finding& f) { return f.text == text; });
    if (known) return;
    const bool full = report_.findings.size() >= kMostFindings;
    if (full && report_.worst()->action >= action) return;
    if (full) report_.findings.pop_back();  // nothing that is found later may be hidden by what weighs less
    report_.findings.push_back({rule, action, std::move(text)});
  }

  void look_into_message(std::string_view bytes, int depth) {
    if (messages_ >= kMessagesDeep) return add(Rule::kDamaged, "the message is nested too deep to be checked");
    ++messages_;
    const auto message = parse_message(bytes);
    message == nullptr ? look_at_text("", bytes) : walk(g_mime_message_get_mime_part(message.get()), depth);
    --messages_;
  }

 private:
  void walk(GMimeObject* part, int depth) {
    if (part == nullptr || enough_ || !budget_.time()) return;
    if (depth > kMimeDepth || ++parts_ > kMimeParts) return add(Rule::kDamaged, "the message is nested too deep to be checked");
    const std::string type = type_of(part);
    const auto names = names_of(part);
    const Spot spot{.name = names.empty() ? "" : names.front(), .outer = "", .depth = 0};
    if (policy_.types.match(type)) add(Rule::kType, fmt::format("{} of type {} is not allowed here", spot.text(), shown_name(type)));
    for (const auto& name : names) check_name({.name = name, .outer = "", .depth = 0});
    if (GMIME_IS_MULTIPART(part)) {
      walk_multipart(GMIME_MULTIPART(part), depth);
    } else if (GMIME_IS_MESSAGE_PART(part)) {
      if (auto* inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(part))) walk(g_mime_message_get_mime_part(inner), depth + 1);
    } else if (GMIME_IS_PART(part)) {
      look_at_leaf(GMIME_PART(part), type, spot, depth);
    }
  }

  void walk_multipart(GMimeMultipart* part, int depth) {
    const int count = g_mime_multipart_get_count(part);
    if (count == 0) add(Rule::kDamaged, "the message's parts cannot be told from one another");
    for (int i = 0; i < count && !enough_; ++i) walk(g_mime_multipart_get_part(part, i), depth + 1);
    // No program should show these; some do.
    for (const char* text : {g_mime_multipart_get_prologue(part), g_mime_multipart_get_epilogue(part)}) {
      if (text != nullptr) look_at_text("text/plain", text);
    }
  }

  void look_at_leaf(GMimePart* part, const std::string& type, const Spot& spot, int depth) {
    const std::string content = content_of(part);
    const std::string plain = plain_name(spot.name);
    const bool text = type.starts_with("text/");
    const auto ends = [&](std::initializer_list<std::string_view> endings) {
      return std::ranges::any_of(endings, [&](std::string_view e) { return plain.ends_with(e); });
    };
    look_into(spot, content, true, text && spot.name.empty());
    if (enough_) return;
    if (type.starts_with("message/rfc822") || type.starts_with("message/global") || ends({".eml", ".mht", ".mhtml"})) {
      look_into_message(content, depth + 1);
    } else if (text || ends({".html", ".htm", ".xhtml", ".svg", ".ics"})) {
      look_at_text(type == "text/plain" ? type : "text/html", content);
      if (const auto other = converted(part, content); !other.empty()) look_at_text(type, other);
    }
  }

  void look_at_text(std::string_view type, std::string_view text) {
    if (!policy_.hosts.empty()) {
      find_hosts(text, type != "text/plain", [&](const std::string& host) {
        if (policy_.hosts.match(host)) add(Rule::kUrl, fmt::format("link to \"{}\" is not allowed here", shown_name(host)));
        return !enough_ && budget_.time();
      });
    }
    for (const auto& file : uuencoded(text)) {
      const Spot spot{.name = file.name, .outer = "", .depth = 0};
      if (check_name(spot)) look_into(spot, file.content, true, false);
    }
  }

  void look_at_kind(const Spot& spot, std::string_view content, bool text) {
    switch (kind_of(content)) {
      case Kind::kExecutable: return add(Rule::kExecutable, spot.text() + " is a program, which is not allowed here");
      case Kind::kShortcut: return add(Rule::kShortcut, spot.text() + " is a shortcut, which is not allowed here");
      case Kind::kImage: return add(Rule::kImage, spot.text() + " is the image of a disc, which is not allowed here");
      case Kind::kScript:
        if (!text) add(Rule::kScript, spot.text() + " is a script, which is not allowed here");
        return;
      case Kind::kOther: return;
    }
  }

  void look_into_archive(const Spot& spot, std::string_view content);

  const Policy& policy_;
  Budget budget_;
  bool all_, enough_ = false;
  int parts_ = 0, messages_ = 0;
  Report report_;
};

// The files of one archive, shown to the scan.
class Opened : public ArchiveVisitor {
 public:
  Opened(Scan& scan, const Spot& archive)
      : scan_(scan), outer_(archive.outer.empty() ? archive.name : archive.outer), depth_(archive.depth + 1) {}

  bool on_name(const std::string& name) override {
    if (is_macro_entry(plain_name(name), base::to_lower(name))) {
      scan_.add(Rule::kMacro, fmt::format("attachment \"{}\" has macros, which are not allowed here", shown_name(outer_)));
    }
    return scan_.check_name(spot(name));
  }

  bool wants(const std::string&, std::string_view head) override { return is_archive(head) || is_ole(head); }

  bool on_content(const std::string& name, std::string_view content, bool whole) override {
    scan_.look_into(spot(name), content, whole, false);
    if (whole && plain_name(name).ends_with(".eml")) scan_.look_into_message(content, 0);
    return !scan_.enough();
  }

 private:
  Spot spot(const std::string& name) const { return {name, outer_.empty() ? "without a name" : outer_, depth_}; }

  Scan& scan_;
  std::string outer_;
  int depth_;
};

void Scan::look_into_archive(const Spot& spot, std::string_view content) {
  Opened opened(*this, spot);
  const auto result = walk_archive(content, spot.name, opened, budget_);
  if (enough_) return;
  if (result.encrypted) add(Rule::kEncrypted, spot.text() + " is encrypted and cannot be checked");
  if (result.damaged) add(Rule::kDamaged, spot.text() + " cannot be checked to its end");
}

}  // namespace

const Finding* Report::worst() const {
  const auto found = std::ranges::max_element(findings, {}, &Finding::action);
  return found == findings.end() ? nullptr : &*found;
}

void prepare_libraries() {
  std::setlocale(LC_CTYPE, "C.UTF-8");  // libarchive's names
  g_mime_init();
}

Report scan(std::string_view message, const Policy& policy, const std::function<bool()>& late, bool all) {
  return Scan(policy, late, all).run(message);
}

}  // namespace holdfast::filter
