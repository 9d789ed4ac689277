// The whole of the content filter's reading: MIME, archives, links. Whatever the bytes are, it ends, keeps to its bounds and
// says printable things; what it finds does not depend on chance.
#include <algorithm>

#include "common/base/panic.h"
#include "filter/scan.h"
#include "fuzz/target.h"

namespace holdfast::fuzz {
namespace {

using base::expect;

const filter::Policy& policy() {
  static const filter::Policy made = [] {
    filter::prepare_libraries();
    config::ContentFilter settings;
    settings.urls.blocked = {"evil.test"};
    settings.scripts = settings.images = "header";
    settings.depth = 3;
    settings.entries = 50;
    settings.bytes = 1 << 20;
    return filter::Policy::from(settings);
  }();
  return made;
}

bool clean(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 32 && c < 127; });
}

filter::Report look(std::string_view message, bool all) {
  int asked = 0;
  return filter::scan(message, policy(), [&] { return ++asked > 200'000; }, all);
}

void run(std::string_view bytes) {
  Input input(bytes);
  const bool wrapped = (input.byte() & 1) != 0;  // an attachment as it is: archives without the way through base64
  std::string message(input.rest());
  if (wrapped) message.insert(0, "Content-Type: application/octet-stream; name=a.zip\r\nContent-Transfer-Encoding: binary\r\n\r\n");
  const auto report = look(message, true);
  expect(report.findings.size() <= filter::kMostFindings, "too many findings");
  for (const auto& f : report.findings) {
    expect(clean(f.text) && f.text.size() < 400, "a text that is no reply");
    expect(f.action != filter::Action::kPass, "what passes is told");
  }
  expect(look(message, true).findings == report.findings, "not the same again");
  const auto quick = look(message, false);
  expect((quick.worst() == nullptr) == (report.worst() == nullptr), "a short search finds nothing where a long one does");
  if (quick.worst() != nullptr) expect(quick.worst()->action == report.worst()->action, "a short search is milder");
}

[[maybe_unused]] const bool kRegistered = add({"content_filter", &run});

}  // namespace
}  // namespace holdfast::fuzz
