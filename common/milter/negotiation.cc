#include "common/milter/negotiation.h"

#include <fmt/format.h>

#include "common/milter/packet.h"

namespace holdfast::milter {

namespace {

// The stages in the order of libmilter's lists of macros (SMFIM_CONNECT … SMFIM_EOH).
constexpr std::array kMacroLists{Stage::kConnect, Stage::kHelo, Stage::kMail,        Stage::kRcpt,
                                 Stage::kData,    Stage::kEndOfMessage, Stage::kEndOfHeader};

std::vector<std::string> names_of(std::string_view list) {
  std::vector<std::string> names;
  while (true) {
    const std::size_t begin = list.find_first_not_of(" ,\t");
    if (begin == std::string_view::npos) return names;
    list.remove_prefix(begin);
    const std::size_t end = std::min(list.find_first_of(" ,\t"), list.size());
    names.emplace_back(list.substr(0, end));
    list.remove_prefix(end);
  }
}

base::Status read_macro_lists(Fields& fields, Terms& terms) {
  while (!fields.empty()) {
    const std::uint32_t number = fields.number();
    const std::string_view list = fields.text();
    if (!fields.ok() || number >= kMacroLists.size()) return base::fail(base::Kind::kData, "its lists of macros cannot be read");
    terms.macros[static_cast<std::size_t>(kMacroLists[number])] = names_of(list);
  }
  return {};
}

}  // namespace

std::string offer() {
  std::string data;
  append_number(data, kVersion);
  append_number(data, action::kOffered);
  append_number(data, step::kOffered);
  return data;
}

base::Result<Terms> parse_terms(std::string_view data) {
  Fields fields(data);
  Terms terms;
  terms.version = fields.number();
  terms.actions = fields.number();
  terms.steps = fields.number();
  if (!fields.ok()) return base::fail(base::Kind::kData, "its answer to the negotiation is too short");
  if (terms.version < kOldestVersion || terms.version > kVersion) {
    return base::fail(base::Kind::kData, fmt::format("it speaks version {} of the protocol, we 2 to 6", terms.version));
  }
  const bool old = terms.version == kOldestVersion;
  const std::uint32_t actions = old ? action::kOfferedToVersion2 : action::kOffered;
  const std::uint32_t steps = old ? step::kOfferedToVersion2 : step::kOffered;
  if ((terms.actions & ~actions) != 0 || (terms.steps & ~steps) != 0) {
    return base::fail(base::Kind::kData, fmt::format("it asks for what was not offered (actions {:#x}, steps {:#x})", terms.actions,
                                                     terms.steps));
  }
  if (old) terms.steps |= step::without(Stage::kData);  // it came with version 4
  if (auto read = read_macro_lists(fields, terms); !read) return std::unexpected(read.error());
  return terms;
}

}  // namespace holdfast::milter
