dofile("bench/wrk/common.lua")
function request() return send("GET", "/api/v1/availability?sku=S" .. math.random(1000)) end
