#include "filter/parts.h"

#include <algorithm>

#include "common/base/text.h"

namespace holdfast::filter {
namespace {

constexpr std::size_t kMostNames = 20, kMostUuencoded = 100;

struct Freed {
  void operator()(char* text) const { g_free(text); }
};
using Text = std::unique_ptr<char, Freed>;

void take_name(const char* value, std::vector<std::string>& out) {
  if (value == nullptr || *value == '\0' || out.size() >= kMostNames) return;
  std::string name = value;
  if (name.find("=?") != name.npos) {
    const Text decoded(g_mime_utils_header_decode_text(nullptr, value));
    if (decoded && name != decoded.get()) take_name(decoded.get(), out);
  }
  if (std::ranges::find(out, name) == out.end()) out.push_back(std::move(name));
}

void take_names(GMimeParamList* list, std::string_view wanted, std::vector<std::string>& out) {
  const int count = list == nullptr ? 0 : g_mime_param_list_length(list);
  for (int i = 0; i < count; ++i) {
    GMimeParam* parameter = g_mime_param_list_get_parameter_at(list, i);
    const char* name = parameter == nullptr ? nullptr : g_mime_param_get_name(parameter);
    if (name != nullptr && base::iequals(name, wanted)) take_name(g_mime_param_get_value(parameter), out);
  }
}

std::string convert(std::string_view content, const char* charset) {
  gsize written = 0;
  const Text text(g_convert_with_fallback(content.data(), static_cast<gssize>(content.size()), "UTF-8", charset, "?", nullptr,
                                          &written, nullptr));
  return text ? std::string(text.get(), written) : "";
}

// A line of uuencode: its first character is the number of bytes, the others have six bits each.
bool take_line(std::string_view line, std::string& out) {
  if (line.empty()) return false;
  const auto six = [](char c) { return (static_cast<unsigned>(static_cast<unsigned char>(c)) - 32U) & 63U; };
  const std::size_t size = six(line[0]);
  if (size == 0 || line[0] < 32 || line[0] > 96) return false;
  std::string bytes;
  for (std::size_t i = 1; bytes.size() < size; i += 4) {
    const auto at = [&](std::size_t j) { return j < line.size() ? six(line[j]) : 0U; };
    const unsigned group = at(i) << 18 | at(i + 1) << 12 | at(i + 2) << 6 | at(i + 3);
    for (const int shift : {16, 8, 0}) bytes += static_cast<char>(group >> shift & 0xFF);
  }
  bytes.resize(size);
  out += bytes;
  return true;
}

std::string_view next_line(std::string_view& text) {
  const auto end = text.find('\n');
  auto line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// "begin 644 name": the name; empty: it is another line.
std::string_view name_of_begin(std::string_view line) {
  if (!line.starts_with("begin ")) return {};
  const auto mode = line.find_first_not_of("01234567", 6);
  if (mode == line.npos || mode < 9 || mode > 10 || line[mode] != ' ') return {};
  return base::trim(line.substr(mode + 1));
}

}  // namespace

Ref<GMimeMessage> parse_message(std::string_view bytes) {
  const Ref<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size()));
  const Ref<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  g_mime_parser_set_format(parser.get(), GMIME_FORMAT_MESSAGE);
  return Ref<GMimeMessage>(g_mime_parser_construct_message(parser.get(), nullptr));
}

std::vector<std::string> names_of(GMimeObject* part) {
  std::vector<std::string> out;
  if (auto* disposition = g_mime_object_get_content_disposition(part)) {
    take_names(g_mime_content_disposition_get_parameters(disposition), "filename", out);
  }
  if (auto* type = g_mime_object_get_content_type(part)) take_names(g_mime_content_type_get_parameters(type), "name", out);
  return out;
}

std::string type_of(GMimeObject* part) {
  auto* type = g_mime_object_get_content_type(part);
  if (type == nullptr) return "text/plain";
  const char* media = g_mime_content_type_get_media_type(type);
  const char* sub = g_mime_content_type_get_media_subtype(type);
  return base::to_lower(std::string(media == nullptr ? "" : media) + "/" + (sub == nullptr ? "" : sub));
}

std::string content_of(GMimePart* part) {
  GMimeDataWrapper* wrapper = g_mime_part_get_content(part);
  if (wrapper == nullptr) return "";
  const Ref<GMimeStream> stream(g_mime_stream_mem_new());
  g_mime_data_wrapper_write_to_stream(wrapper, stream.get());
  const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream.get()));
  return bytes == nullptr || bytes->len == 0 ? "" : std::string(reinterpret_cast<const char*>(bytes->data), bytes->len);
}

std::string converted(GMimePart* part, std::string_view content) {
  if (content.starts_with("\xFF\xFE") || content.starts_with("\xFE\xFF")) return convert(content, "UTF-16");
  const char* charset = g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset");
  if (charset == nullptr || base::iequals(charset, "utf-8") || base::iequals(charset, "us-ascii")) return "";
  return convert(content, charset);
}

std::vector<Uuencoded> uuencoded(std::string_view text) {
  std::vector<Uuencoded> out;
  while (!text.empty() && out.size() < kMostUuencoded) {
    const auto name = name_of_begin(next_line(text));
    if (name.empty()) continue;
    Uuencoded file{.name = std::string(name), .content = {}};
    while (!text.empty() && take_line(next_line(text), file.content)) {}
    out.push_back(std::move(file));
  }
  return out;
}

}  // namespace holdfast::filter
