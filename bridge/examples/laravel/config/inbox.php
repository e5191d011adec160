<?php
/** The same as CRM_SECRET and CRM_AUTH of the bridge. Without a secret nothing is accepted. */

return [
    'secret' => env('INBOX_SECRET', ''),
    'auth' => env('INBOX_AUTH', ''),
];
