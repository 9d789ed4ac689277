#include "gatewayctl/recipient_files.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "common/base/text.h"
#include "common/mail/address.h"

namespace holdfast::gatewayctl {
namespace {

base::Error fault(std::size_t line, const std::string& text) {
  return {base::Kind::kData, fmt::format("line {}: {}", line, text)};
}

bool is_address(std::string_view text) {
  const auto address = mail::parse_address(text, true);
  return address && !address->domain.empty();
}

base::Result<RecipientFile> parse_list(std::string_view text) {
  RecipientFile out;
  std::size_t number = 0;
  for (std::string_view line : base::split(text, '\n')) {
    ++number;
    line = base::trim(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    if (!mail::parse_address(line, true)) return std::unexpected(fault(number, fmt::format("'{}' is not an address", base::printable(line))));
    out.addresses.emplace_back(line);
  }
  return out;
}

// postmap(1): a line that begins with white space goes on with the one before; the value says little, but REJECT does.
base::Result<RecipientFile> parse_postfix(std::string_view text) {
  RecipientFile out;
  std::size_t number = 0;
  for (std::string_view line : base::split(text, '\n')) {
    ++number;
    if (line.empty() || line.front() == ' ' || line.front() == '\t' || line.front() == '#' || line.front() == '\r') continue;
    const auto end = line.find_first_of(" \t\r");
    const auto key = line.substr(0, end);
    const auto value = end == line.npos ? std::string_view() : base::trim(line.substr(end));
    if (key.front() == '@' || base::to_lower(value).starts_with("reject")) {
      ++out.passed_over;
    } else if (is_address(key)) {
      out.addresses.emplace_back(key);
    } else {
      return std::unexpected(fault(number, fmt::format("'{}' is not an address", base::printable(key))));
    }
  }
  return out;
}

struct CsvRow {
  std::size_t line = 0;
  std::vector<std::string> fields;
};

// The one that the first line has most of.
char separator_of(std::string_view text) {
  const auto line = text.substr(0, text.find('\n'));
  char best = ',';
  for (const char c : {';', '\t'}) {
    if (std::ranges::count(line, c) > std::ranges::count(line, best)) best = c;
  }
  return best;
}

class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_(text), separator_(separator_of(text)) {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
  }

  // Nothing at the end; an error for a quote that does not end.
  base::Result<std::optional<CsvRow>> next() {
    if (text_.empty()) return std::nullopt;
    CsvRow out{.line = line_, .fields = {}};
    for (bool more = true; more;) {
      auto field = take_field();
      if (!field) return std::unexpected(fault(out.line, "a quote that does not end"));
      out.fields.push_back(std::move(*field));
      more = !text_.empty() && text_.front() == separator_;
      if (more) text_.remove_prefix(1);
    }
    if (!text_.empty()) text_.remove_prefix(1);  // the line's end
    ++line_;
    return out;
  }

 private:
  std::optional<std::string> take_field() {
    if (!text_.starts_with('"')) {
      const char ends[] = {separator_, '\n', '\0'};
      const auto length = std::min(text_.find_first_of(ends), text_.size());
      std::string out(base::trim(text_.substr(0, length)));
      text_.remove_prefix(length);
      return out;
    }
    std::string out;
    text_.remove_prefix(1);
    while (!text_.empty()) {
      const char c = text_.front();
      text_.remove_prefix(1);
      if (c == '\n') ++line_;
      if (c != '"') {
        out += c;
      } else if (text_.starts_with('"')) {
        out += c;
        text_.remove_prefix(1);
      } else {
        const char ends[] = {separator_, '\n', '\0'};
        text_.remove_prefix(std::min(text_.find_first_of(ends), text_.size()));
        return out;
      }
    }
    return std::nullopt;
  }

  std::string_view text_;
  char separator_;
  std::size_t line_ = 1;
};

// "SMTP:a@b" and "a@b" are addresses; of "X500:/o=…" nothing is.
std::optional<std::string_view> address_in(std::string_view part) {
  part = base::trim(part);
  const auto colon = part.find(':');
  if (colon != part.npos && base::to_lower(part.substr(0, colon)) == "smtp") part.remove_prefix(colon + 1);
  return is_address(part) ? std::optional(part) : std::nullopt;
}

void take_field(std::string_view field, bool only_some, RecipientFile& out) {
  for (const auto part : base::split(field, ';')) {
    if (base::trim(part).empty()) continue;
    if (const auto address = address_in(part)) {
      out.addresses.emplace_back(*address);
    } else if (!only_some) {
      ++out.passed_over;
    }
  }
}

// Which column, from 0; nothing: all.
base::Result<std::optional<std::size_t>> find_column(const CsvRow& head, std::string_view wanted) {
  if (const auto number = base::to_number(wanted); number && *number > 0) return *number - 1;
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    const auto name = base::to_lower(head.fields[i]);
    if (!wanted.empty() ? name == base::to_lower(wanted) : name.find("mail") != name.npos || name.find("address") != name.npos) return i;
  }
  if (!wanted.empty()) return std::unexpected(fault(1, fmt::format("there is no column '{}'", base::printable(wanted))));
  return std::nullopt;
}

bool has_address(const CsvRow& row) {
  return std::ranges::any_of(row.fields, [](const std::string& field) {
    return std::ranges::any_of(base::split(field, ';'), [](std::string_view part) { return address_in(part).has_value(); });
  });
}

base::Result<RecipientFile> parse_csv(std::string_view text, std::string_view wanted) {
  RecipientFile out;
  CsvReader reader(text);
  std::optional<std::size_t> column;
  for (bool first = true;; first = false) {
    auto row = reader.next();
    if (!row) return std::unexpected(row.error());
    if (!*row) return out;
    if (first) {
      const bool head = !has_address(**row);
      auto found = find_column(head ? **row : CsvRow{}, wanted);
      if (!found) return std::unexpected(found.error());
      column = *found;
      if (head) continue;
    }
    const auto& fields = (*row)->fields;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (!column || i == *column) take_field(fields[i], !column, out);
    }
  }
}

}  // namespace

base::Result<RecipientFile> parse_recipients(std::string_view text, RecipientFormat format, std::string_view column) {
  switch (format) {
    case RecipientFormat::kList: return parse_list(text);
    case RecipientFormat::kPostfix: return parse_postfix(text);
    case RecipientFormat::kCsv: return parse_csv(text, column);
  }
  return base::fail(base::Kind::kInternal, "a format that is none");
}

}  // namespace holdfast::gatewayctl
