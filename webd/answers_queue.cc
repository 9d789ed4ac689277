// GET queue…, POST queue/….
#include <algorithm>

#include <fmt/core.h>

#include "common/admin/content_reader.h"
#include "common/admin/queue_run.h"
#include "common/admin/queue_walk.h"
#include "common/base/text.h"
#include "webd/answers.h"
#include "webd/body.h"

namespace holdfast::webd {
namespace {

constexpr base::Millis kBudget{60};          // of a page's search
constexpr std::size_t kMostShown = 500, kMostIds = 10'000, kMostFailed = 100;
constexpr std::uint64_t kMostHeader = 256 << 10, kMostContent = 4 << 20;

admin::QueueWords words_of_query(const Request& request) {
  admin::QueueWords out;
  out.destination = request.parameter("destination");
  out.domain = request.parameter("domain");
  out.sender = request.parameter("sender");
  out.recipient = request.parameter("recipient");
  out.state = request.parameter("state");
  out.older = request.parameter("older");
  out.younger = request.parameter("younger");
  out.held_by = request.parameter("held_by");
  out.unfiltered = request.parameter("unfiltered") == "yes";
  out.after = request.parameter("after");
  return out;
}

base::Status read_filter(const json& filter, admin::QueueWords& out) {
  if (!filter.is_object()) return base::fail(base::Kind::kUsage, "'filter' must be an object");
  for (const auto& [name, value] : filter.items()) {
    std::string* slot = name == "destination" ? &out.destination
                        : name == "domain"    ? &out.domain
                        : name == "sender"    ? &out.sender
                        : name == "recipient" ? &out.recipient
                        : name == "state"     ? &out.state
                        : name == "older"     ? &out.older
                        : name == "younger"   ? &out.younger
                        : name == "held_by"   ? &out.held_by
                                              : nullptr;
    if (name == "unfiltered") {
      const auto only = flag_of(filter, "unfiltered");
      if (!only) return std::unexpected(only.error());
      out.unfiltered = *only;
      continue;
    }
    // What is not understood must not make the choice wider.
    if (slot == nullptr) return base::fail(base::Kind::kUsage, fmt::format("there is no filter '{}'", base::printable(name)));
    auto text = text_of(filter, name.c_str());
    if (!text) return std::unexpected(text.error());
    *slot = std::move(*text);
  }
  return {};
}

base::Result<admin::QueueWords> words_of_body(const json& body) {
  admin::QueueWords out;
  auto ids = texts_of(body, "ids", kMostIds);
  const auto all = flag_of(body, "all"), dry_run = flag_of(body, "dry_run");
  auto by = text_of(body, "by"), until = text_of(body, "until"), to = text_of(body, "to");
  for (const auto* text : {&by, &until, &to}) {
    if (!*text) return std::unexpected(text->error());
  }
  if (!ids) return std::unexpected(ids.error());
  if (!all) return std::unexpected(all.error());
  if (!dry_run) return std::unexpected(dry_run.error());
  out.ids = std::move(*ids);
  out.all = *all;
  out.dry_run = *dry_run;
  out.yes = true;  // the page has asked
  out.by = std::move(*by);
  out.until = std::move(*until);
  out.to = std::move(*to);
  if (!body.contains("filter") || body.at("filter").is_null()) return out;
  if (auto done = read_filter(body.at("filter"), out); !done) return std::unexpected(done.error());
  return out;
}

json object_of(const admin::DeedOutcome& outcome) {
  json failed = json::array();
  for (const auto& id : outcome.missing) {
    if (failed.size() < kMostFailed) failed.push_back({{"queue_id", id}, {"reason", "not in the queue"}});
  }
  return {{"changed", outcome.changed}, {"null_sender", outcome.null_sender}, {"busy", outcome.busy}, {"failed", failed}};
}

Response deed(Call& call, const char* name) {
  const auto body = body_of(call);
  if (!body) return failure(body.error());
  const auto words = words_of_body(*body);
  if (!words) return failure(words.error());
  admin::DeedOutcome outcome;
  const auto done = admin::run_deed(*call.gateway, *admin::find_deed(name), *words, outcome);
  call.detail = fmt::format("{} {}", outcome.changed, words->dry_run ? "would be changed" : "changed");
  if (!done) return failure(done.error());
  return answer(object_of(outcome));
}

base::Result<storage::Record> open_sound(Call& call) {
  const auto item = admin::find_message(*call.gateway, call.names.front());
  if (!item) return std::unexpected(item.error());
  auto record = admin::open_record(*call.gateway, *item);
  if (!record) return record;
  if (auto sound = record->verify(); !sound) return std::unexpected(sound.error());
  return record;
}

struct Content {
  std::string text;
  bool truncated = false;
};
// The first `most` bytes; `headers_only`: no further than the empty line.
base::Result<Content> read_content(const storage::Record& record, std::uint64_t most, bool headers_only) {
  Content out;
  admin::ContentReader reader(false);
  std::vector<char> piece(64 << 10);
  for (std::uint64_t offset = 0;;) {
    const auto n = record.read_content(offset, piece);
    if (!n) return std::unexpected(n.error());
    if (*n == 0) return out;
    offset += *n;
    out.text += reader.take({piece.data(), *n});
    const auto end = headers_only ? out.text.find("\r\n\r\n") : out.text.npos;
    if (end != out.text.npos) {
      out.text.resize(end + 2);
      return out;
    }
    if (out.text.size() >= most) {
      out.text.resize(most);
      out.truncated = true;
      return out;
    }
  }
}

// Header fields in their order, unfolded.
json fields_of(std::string_view text) {
  json out = json::array();
  std::string name, value;
  const auto end_field = [&] {
    if (!name.empty()) out.push_back({{"name", name}, {"value", value}});
    name.clear();
  };
  for (auto line : base::split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && (line.front() == ' ' || line.front() == '\t')) {
      value += " " + std::string(base::trim(line));
      continue;
    }
    end_field();
    const auto colon = line.find(':');
    if (line.empty() || colon == line.npos) continue;
    name = base::trim(line.substr(0, colon));
    value = base::trim(line.substr(colon + 1));
  }
  end_field();
  return out;
}

}  // namespace

Response list_queue(Call& call) {
  const auto words = words_of_query(call.request);
  const auto limit = limit_of(call, 50, kMostShown);
  if (!limit) return failure(limit.error());
  const auto moment = admin::look(*call.gateway);
  const auto page = admin::queue_page(*call.gateway, words, *limit, moment, kBudget);
  if (!page) return failure(page.error());
  std::vector<std::string> lines;
  for (const auto& item : page->messages) lines.push_back(admin::queue_json(item, moment));
  const auto total = admin::queue_total(*call.gateway, words, moment);
  return answer_text(fmt::format("{{\"messages\":{},\"next\":{},\"total\":{}}}\n", array_of(lines),
                                 page->next.empty() ? "null" : fmt::format("\"{}\"", page->next),
                                 total ? fmt::format("{}", *total) : "null"));
}

Response queue_ages(Call& call) {
  auto text = call.house.ages->answer(*call.gateway, words_of_query(call.request));
  return text ? answer_text(std::move(*text)) : failure(text.error());
}

Response show_message(Call& call) {
  const auto item = admin::find_message(*call.gateway, call.names.front());
  if (!item) return failure(item.error());
  const auto told = admin::look_into(*call.gateway, *item);
  return answer_text(admin::message_json(*item, admin::look(*call.gateway), told ? &*told : nullptr));
}

Response message_headers(Call& call) {
  const auto record = open_sound(call);
  if (!record) return failure(record.error());
  const auto content = read_content(*record, kMostHeader, true);
  if (!content) return failure(content.error());
  return answer({{"headers", fields_of(content->text)}, {"truncated", content->truncated}});
}

Response message_content(Call& call) {
  call.detail = call.names.front();
  const auto record = open_sound(call);
  if (!record) return failure(record.error());
  const auto content = read_content(*record, kMostContent, false);
  if (!content) return failure(content.error());
  return answer({{"content", content->text}, {"truncated", content->truncated}});
}

Response do_retry(Call& call) { return deed(call, "retry"); }
Response do_hold(Call& call) { return deed(call, "hold"); }
Response do_release(Call& call) { return deed(call, "release"); }
Response do_thaw(Call& call) { return deed(call, "thaw"); }
Response do_extend(Call& call) { return deed(call, "extend"); }
Response do_bounce(Call& call) { return deed(call, "bounce"); }
Response do_delete(Call& call) { return deed(call, "delete"); }
Response do_reroute(Call& call) { return deed(call, "reroute"); }

}  // namespace holdfast::webd
