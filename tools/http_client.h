// SPDX-License-Identifier: Apache-2.0
// A blocking HTTP client over one connection, for narae load.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace narae {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpAnswer {
  int status = 0;
  std::string body;
};

class HttpClient {
 public:
  // "http://HOST:PORT", the scheme may be left out. Throws Error usage.
  explicit HttpClient(const std::string& url);
  ~HttpClient();
  // Connects where it is not connected. Throws Error failed; the next call connects anew.
  // `on_part` hears of each part of a chunked body as it comes, which the answer then does not hold.
  HttpAnswer call(const std::string& method, const std::string& path, const std::string& body,
                  const HttpHeaders& headers = {}, const std::function<void(std::string_view)>& on_part = {});

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace narae
