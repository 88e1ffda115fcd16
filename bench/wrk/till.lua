dofile("bench/wrk/common.lua")
local day = os.date("!%Y-%m-%d")
function request()
  local lines = {}
  for i = 1, 3 do
    lines[i] = string.format('{"line_no":%d,"sku":"S%d","quantity":1,"unit_price":1000}', i, math.random(1000))
  end
  return send("POST", "/api/v1/pos/sales", string.format(
    '{"source":"bench","store":"L%d","terminal":"1","receipt_no":"%s","kind":"sale","business_date":"%s",' ..
    '"sold_at":"%sT00:00:01Z","lines":[%s],"tenders":[{"method":"cash","amount":3000}]}',
    math.random(20), unique(), day, day, table.concat(lines, ",")))
end
