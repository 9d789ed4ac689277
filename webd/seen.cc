#include "webd/seen.h"

#include "common/admin/text_json.h"
#include "common/base/file.h"
#include "common/base/log.h"

namespace holdfast::webd {
namespace {

using admin::json;

void read_times(const json& whole, const char* name, auto& out) {
  const auto found = whole.is_object() ? whole.find(name) : whole.end();
  if (!whole.is_object() || found == whole.end() || !found->is_object()) return;
  for (const auto& [key, value] : found->items()) {
    if (value.is_number_integer()) out[key] = value.template get<std::int64_t>();
  }
}

}  // namespace

Seen::Seen(std::string file) : file_(std::move(file)) {
  const auto text = base::read_file(file_);
  if (!text) return;
  const json whole = json::parse(*text, nullptr, false);
  read_times(whole, "users", users_);
  read_times(whole, "tokens", tokens_);
}

void Seen::note(Times& times, const std::string& name, std::int64_t now_ms) {
  const std::lock_guard lock(door_);
  times[name] = now_ms;
  changed_ = true;
}

std::int64_t Seen::when(const Times& times, std::string_view name) const {
  const std::lock_guard lock(door_);
  const auto found = times.find(name);
  return found == times.end() ? 0 : found->second;
}

void Seen::save() {
  const std::lock_guard lock(door_);
  if (!changed_) return;
  if (auto done = base::replace_file(file_, admin::dump_line({{"users", users_}, {"tokens", tokens_}})); !done) {
    return base::log().error(done.error().text);
  }
  changed_ = false;
}

}  // namespace holdfast::webd
