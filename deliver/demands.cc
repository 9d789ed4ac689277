#include "deliver/demands.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "common/mail/report_text.h"

namespace holdfast::deliver {
namespace {

// Whether the header is over, as its bytes pass.
class HeaderEnd {
 public:
  bool reached(char c) {
    if (c != '\n') {
      if (c != '\r') blank_ = false;
      return false;
    }
    return std::exchange(blank_, true);
  }

 private:
  bool blank_ = true;  // nothing on this line so far
};

base::Result<bool> has_ascii_header(const storage::Record& record) {
  std::array<char, 16 << 10> piece{};
  HeaderEnd end;
  for (std::uint64_t at = 0; at < record.content_size();) {
    const auto got = record.read_content(at, piece);
    if (!got) return std::unexpected(got.error());
    if (*got == 0) break;
    for (const char c : std::string_view(piece.data(), *got)) {
      if (static_cast<unsigned char>(c) > 127) return false;
      if (end.reached(c)) return true;
    }
    at += *got;
  }
  return true;
}

base::Result<bool> is_ascii(const storage::Record& record, const ipc::Job& job) {
  const bool addresses = mail::is_ascii(record.envelope().sender) &&
                         std::ranges::all_of(job.recipients, [](const auto& r) { return mail::is_ascii(r.address); });
  if (!addresses) return false;
  return has_ascii_header(record);
}

}  // namespace

base::Result<Demands> demands_of(const storage::Record& record, std::uint64_t size, const ipc::Job& job,
                                 const mail::Capabilities& offered) {
  Demands out{.smtputf8 = record.envelope().smtputf8};
  if (out.smtputf8 && !offered.smtputf8) {
    const auto ascii = is_ascii(record, job);
    if (!ascii) return std::unexpected(ascii.error());
    out.smtputf8 = false;
    if (!*ascii) out.obstacle = {"5.6.7", "SMTPUTF8 is needed, and the mail server does not offer it any more"};
  }
  if (!out.obstacle && offered.size_limit > 0 && size > offered.size_limit) {
    out.obstacle = {"5.3.4", fmt::format("the message has {} bytes, and the mail server takes {} at most",
                                         size, offered.size_limit)};
  }
  return out;
}

}  // namespace holdfast::deliver
