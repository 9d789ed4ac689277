// The configuration's loader: every fault is told with its line, and what is taken is the same when it is written out
// and read again.
#include "common/base/panic.h"
#include "common/config/load.h"
#include "common/config/show.h"
#include "fuzz/target.h"

namespace holdfast::fuzz {
namespace {

using base::expect;

void check_error(const base::Error& error) {
  expect(error.kind == base::Kind::kConfig, "a fault of the configuration is called another");
  expect(error.text.starts_with("gateway.yaml"), "a fault without its file");
  for (const char c : error.text) {
    expect(c == '\n' || static_cast<unsigned char>(c) >= 32, "a control character on the admin's terminal");
  }
}

void run(std::string_view bytes) {
  const auto config = config::load_text(std::string(bytes), "gateway.yaml");
  if (!config) return check_error(config.error());
  for (const auto style : {config::Style::kAll, config::Style::kChanged, config::Style::kSelfContained}) {
    const std::string shown = config::show(*config, style);
    const auto again = config::load_text(shown, "gateway.yaml");
    if (!again) expect_equal(again.error().text + "\n" + shown, "", "what is shown cannot be read");
    expect(config::difference(*config, *again).empty(), "what is shown is another configuration");
    expect_equal(config::show(*again, style), shown, "what is shown changes when it is read");
  }
}

[[maybe_unused]] const bool kRegistered = add({"config", &run});

}  // namespace
}  // namespace holdfast::fuzz
