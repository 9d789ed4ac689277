#include "common/config/compile_lists.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "common/base/handed_files.h"
#include "common/base/text.h"

namespace holdfast::config {
namespace {

using policy::ListKind;

constexpr std::size_t kManyRegexes = 100;

template <class Visit>
void each_item(const Lists& lists, const Visit& visit) {
  for (const auto& [kind, pair] : {std::pair{ListKind::kClient, &lists.client}, std::pair{ListKind::kHelo, &lists.helo},
                                   std::pair{ListKind::kSender, &lists.sender}, std::pair{ListKind::kRecipient, &lists.recipient}}) {
    for (const auto& item : pair->allow) visit(kind, true, item);
    for (const auto& item : pair->block) visit(kind, false, item);
  }
}

class Compiler {
 public:
  explicit Compiler(Faults& faults) : faults_(faults) {}

  void take(ListKind kind, bool allow, const ListItem& item) {
    if (!item.file.empty()) return take_file(kind, allow, item);
    take_line(kind, allow, item.text, {item.in_file, item.line});
  }

  policy::Lists lists;

 private:
  void take_line(ListKind kind, bool allow, std::string_view text, const Place& place) {
    auto entry = policy::parse_entry(kind, text);
    if (!entry) return faults_.error(place, fmt::format("lists.{}.{}: {}", to_text(kind), allow ? "allow" : "block", entry.error().text));
    lists.add(kind, allow, std::move(*entry), {.file = number_of(place.file), .line = static_cast<std::uint32_t>(place.line)});
  }

  // A '#' begins a comment at the start of a line or behind a blank: it may stand in an address.
  void take_file(ListKind kind, bool allow, const ListItem& item) {
    const auto text = base::read_handed(item.file, 64 << 20);
    if (!text) return faults_.error({item.in_file, item.line}, text.error().text);
    Place place{item.file, 0};
    for (std::string_view line : base::split(*text, '\n')) {
      ++place.line;
      line = base::trim(line);
      const auto comment = line.find(" #");
      if (comment != line.npos) line = base::trim(line.substr(0, comment));
      if (!line.empty() && line[0] != '#') take_line(kind, allow, line, place);
    }
  }

  std::uint32_t number_of(const std::string& file) {
    const auto at = files_.find(file);
    if (at != files_.end()) return at->second;
    return files_[file] = lists.add_file(file);
  }

  Faults& faults_;
  std::map<std::string, std::uint32_t> files_;
};

policy::Lists compile(const Lists& lists, Faults& faults) {
  Compiler compiler(faults);
  each_item(lists, [&](ListKind kind, bool allow, const ListItem& item) { compiler.take(kind, allow, item); });
  return std::move(compiler.lists);
}

}  // namespace

std::vector<std::string> list_files(const Lists& lists) {
  std::set<std::string> out;
  each_item(lists, [&](ListKind, bool, const ListItem& item) { out.insert(item.file); });
  out.erase("");
  return {out.begin(), out.end()};
}

base::Result<policy::Lists> compile_lists(const Lists& lists) {
  Faults faults;
  auto out = compile(lists, faults);
  if (faults.any()) return base::fail(base::Kind::kConfig, faults.text());
  return out;
}

void finish_admission(Draft& draft) {
  const auto& grey = draft.config.greylist;
  if (grey.window <= grey.delay) {
    draft.faults.error(draft.places.contains("greylist.window") ? draft.places["greylist.window"] : draft.places["greylist.delay"],
                       "greylist.window: must be longer than greylist.delay, or nobody passes");
  }
  const auto& zones = draft.config.dnsbl.zones;
  for (auto at = zones.begin(); at != zones.end(); ++at) {
    const bool twice = std::ranges::any_of(zones.begin(), at, [&](const DnsblZone& z) { return z.zone == at->zone && z.answers == at->answers; });
    if (twice) draft.faults.error(draft.places["dnsbl.zones"], fmt::format("dnsbl.zones: {} is there twice", at->zone));
  }
  int most = 0;
  for (const auto& zone : zones) most += std::max(zone.weight, 0);
  if (!zones.empty() && most < draft.config.dnsbl.threshold) {
    draft.faults.warning(draft.places["dnsbl.zones"], fmt::format("dnsbl.threshold: all zones together weigh {}: nobody will be refused", most));
  }
}

void check_list_files(Draft& draft) {
  const auto lists = compile(draft.config.lists, draft.faults);
  if (lists.regexes() <= kManyRegexes) return;
  draft.faults.warning({draft.config.file, 0}, fmt::format("lists: {} regular expressions are tried one after the other for each recipient; "
                                                           "addresses, domains and networks cost nothing", lists.regexes()));
}

}  // namespace holdfast::config
